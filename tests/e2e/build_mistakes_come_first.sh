#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A mistake in a build file is reported with its line and column, and no step has run by then: neither
# for mistakes of YAML, nor of a key, nor for what only the folder can tell.
source "${SOURCE:?}/tests/e2e/common.inc" || exit

# mistake PLACE WORDS: of the build file on standard input.
mistake() {
  cat >build.yml
  expect_error 2 "$WHITTLE" build
  [[ "$(<"$err")" == "whittle: build.yml:$1: "*"$2"* ]] ||
    fail "not reported at $1 with '$2': $(<"$err")"
  [[ ! -e ran ]] || fail "a step ran in spite of: $(<"$err")"
}

mistake 5:12 "the quote that begins here is never closed" <<'END'
build:
  steps:
    first: {run: touch ran}
    build:
      run: "echo building
    test:
      depends_on: [build]
      run: touch ran
END
mistake 4:12 'the quote (") that begins here is not closed before line 5' <<'END'
build:
  steps:
    build:
      run: "touch ran
    test:
      run: "exit 1"
END
mistake 2:1 "a tab" < <(printf 'build:\n\tsteps:\n\t\ta: {run: "touch ran"}\n')
mistake 4:14 'the tag `!secret` has no meaning here' <<'END'
build:
  steps:
    a: {run: touch ran}
    b: {run: !secret touch ran}
END
mistake 4:53 '`dist/x`, as does `build.steps.a.artifacts[0]` (3:67)' <<'END'
build:
  steps:
    a: {run: 'touch ran; mkdir -p o1; echo a > o1/x', artifacts: ["o1/x:dist"]}
    b: {run: 'mkdir -p o2; touch o2/x', artifacts: ["o2/x:dist"]}
END

# A step that would ship, with one wrong key of its image, in line 8. OFFSET is where in the value the
# mistake is.
image_mistake() {  # image_mistake KEY VALUE WORDS [OFFSET]
  mistake "8:$((${#1} + 13 + ${4:-0}))" "$3" <<END
build:
  steps:
    a:
      run: touch ran app
      whittle:
        binary: app
        image:
          $1: $2
END
}
image_mistake tag Bad/Name:1 "image name 'Bad/Name:1'"
image_mistake tag '"x:_env(UNSET)"' "image name 'x:'"
image_mistake name app "must begin with '/'"
image_mistake workdir srv "must begin with '/'"
image_mistake user "a b" "is not USER or USER:GROUP"
image_mistake expose "[80, 80/http]" "port '80/http'" 5
image_mistake env "[A=1, A=2]" 'gives `A` a second time' 6
image_mistake labels "[a=1, a=2]" "label 'a' is given twice" 6
image_mistake add '["a:/x", "b:/x"]' "'/x' is given twice" 9
image_mistake add '["a:/app"]' "'/app' is given twice" 1
image_mistake output no/such/app.tar "the folder \`no/such\` is missing"
touch afile
image_mistake layout afile "is a file, but an OCI layout is a folder"

# The same reader, the same rules: policies, and the command line with the option for the place.
printf 'require:\n  - static\n  - "nx\n' >policy.yml
expect_error 2 "$WHITTLE" audit --policy policy.yml "$WHITTLE"
grep -q "policy.yml:3:5: the quote that begins here is never closed" "$err" || fail "$(<"$err")"
expect_error 2 "$WHITTLE" image afile -o x.tar --user "a b"
grep -q "^whittle: --user: user 'a b' is not USER or USER:GROUP" "$err" || fail "$(<"$err")"

# What a step makes is not missed.
cat >build.yml <<'END'
build:
  steps:
    data: {run: mkdir -p made && echo data > made/data.txt, artifacts: ["made/data.txt:in"]}
    a:
      depends_on: [data]
      run: mkdir dist && cp "$PROGRAM" dist/app && echo more > more.txt
      whittle:
        binary: dist/app
        pack: false
        image: {output: dist/app.tar, add: ["in/data.txt:/data", "more.txt:/more"]}
END
need busybox
PROGRAM=$(readlink -f "$(command -v busybox)") expect_exit 0 "$WHITTLE" build
! grep -q "warning" "$err" || fail "a warning: $(<"$err")"
[[ -s dist/app.tar ]] || fail "no archive"
