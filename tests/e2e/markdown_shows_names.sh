#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# In every Markdown document of ours, a parser of GitHub's dialect finds names of files as they are,
# whatever characters they have: in the cell, the heading and the list where they belong, as text.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need gcc cmark-gfm python3

gcc -O1 -static -s -o app "$SOURCE/samples/hello-c/hello.c"
names=('plain' 'a|b' '||' 'a`b``c' '`' '```' '*x*' '_y_ __z__' '~~w~~' '<b>' '<script>x' '<!--' '[l](u)' '![i](u)'
  'back\slash' 'back\\\|' $'new\nline' $'tab\tcr\r' $'\xff\xfe' $'caf\xc3\xa9' $'\x1b[1m' '- item' '1. one' '+ plus'
  ' before' 'behind ' '  ' 'in  side' '# head' 'head #' '&amp;' '&' 'www.example.com' 'x$y$z' '{a}' '===' '---' ':smile:'
  'a@b.example' '"q"' "'" 'x^y' '|---|')
mkdir files
for name in "${names[@]}"; do cp app "files/$name"; done

# One document with all names, in a table and in headings, and one with each as an executable and an output.
expect_exit 1 "$WHITTLE" audit --format markdown --require pie files
cp "$out" audit.md
number=0
for name in "${names[@]}"; do
  number=$((number + 1))
  mkdir "image$number"
  expect_exit 0 "$WHITTLE" image "files/$name" -o "image$number/$name" -t app:1 --name /app --report "size$number.md"
done
printf 'build:\n  steps:\n    app:\n      whittle: {binary: "a|b`c*", strip: false, image: {output: "o|`_u_`t.tar"}}\n' >build.yml
cp app 'a|b`c*'
expect_exit 0 "$WHITTLE" build --format markdown
cp "$out" build.md

cat >check.py <<'PY'
import os, subprocess, sys
from html.parser import HTMLParser

def shown(name):  # as whittle shows bytes that cannot be printed
    text = name.decode("utf-8", "backslashreplace")
    special = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return "".join(special.get(c, f"\\x{ord(c):02x}" if ord(c) < 32 else c) for c in text)

class Document(HTMLParser):
    """Rows of cells, headings and items as text, and the tags that were inside of them."""
    def __init__(self, path):
        super().__init__()
        self.rows, self.headings, self.items, self.inside, self.text = [], [], [], [], None
        extensions = [word for e in ("table", "autolink", "strikethrough", "tagfilter") for word in ("-e", e)]
        self.feed(subprocess.run(["cmark-gfm", "--unsafe", *extensions, path], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout)
    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th", "h3", "li"):
            self.text = ""
        elif self.text is not None and not dict(attributes).get("href", "").startswith("mailto:"):
            self.inside.append(tag)
    def handle_endtag(self, tag):
        place = {"td": self.rows[-1] if self.rows else None, "h3": self.headings, "li": self.items}.get(tag)
        if tag == "th":
            place = self.rows[-1]
        if place is not None:
            place.append(self.text.strip("\n") if tag == "li" else self.text)
            self.text = None
    def handle_data(self, data):
        if self.text is not None:
            self.text += data

def same(what, found, expected):
    assert found == expected, f"{what}:\n{found}\n{expected}"

names = [os.fsencode(name) for name in sys.argv[1:]]
audit = Document("audit.md")
ordered = [shown(b"files/" + name) for name in sorted(names)]
same("files", [row[0] for row in audit.rows[1:]], ordered)
same("columns", {len(row) for row in audit.rows}, {5})
same("headings", audit.headings, ordered)
same("markup", set(audit.inside), {"strong"})  # "violates pie"
for number, name in enumerate(names, 1):
    size = Document(f"size{number}.md")
    same("headings", size.headings, ["Size of " + shown(b"files/" + name)])
    same("output", size.items[-1], "output: " + shown(f"image{number}/".encode() + name))
    same("columns", {len(row) for row in size.rows}, {9})
    same("markup", set(size.inside) - {"p"}, {"code"})
build = Document("build.md")
same("headings", build.headings, ["Size of a|b`c*"])
same("output", build.items[-1], "output: o|`_u_`t.tar")
PY
python3 check.py "${names[@]}"
