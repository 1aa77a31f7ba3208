#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From figures that are given here, bench/run --render makes the tables and plots that they ask for:
# what is met and what is missed, what could not be made and why; the same at every run.
set -euo pipefail
command -v python3 >/dev/null || { echo "SKIP: there is no python3"; exit 77; }

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -r bench docs README.md "$tree"
rm -rf "$tree/bench/plots"
cat >"$tree/bench/results.csv" <<'END'
# whittle 1, UPX 2
program,form,file,gzip-9,zstd-19,note
busybox,original,2000000,1100000,1000000,
busybox,UPX --best,1000000,990000,990000,
busybox,UPX --best --lzma,900000,890000,890000,
busybox,whittle fast,950001,940000,940000,
busybox,whittle small,,,,no such level
esbuild,original,2000000,1100000,1000000,
esbuild,whittle fast,700000,690000,690000,
END
cat >"$tree/bench/latency.csv" <<'END'
# one machine
program,form,figure,median,low,high,runs,note
busybox,original,"start, 2 CPUs, ms",1.000,0.900,1.100,40,
busybox,UPX --best,"start, 2 CPUs, ms",11.000,10.000,12.000,40,
busybox,whittle fast,"start, 2 CPUs, ms",9.000,8.500,9.500,40,
large 25 MB,original,"size, MB",25.000,25.000,25.000,1,
large 25 MB,whittle fast,"pack time, s",5.000,5.000,5.000,1,
large 25 MB,whittle fast,"pack memory, MB",400.000,400.000,400.000,1,
large 100 MB,original,"size, MB",100.000,100.000,100.000,1,
large 100 MB,whittle fast,"pack time, s",22.000,22.000,22.000,1,
large 100 MB,whittle fast,"pack memory, MB",1500.200,1500.200,1500.200,1,
END
"$tree/bench/run" --render >"$tree/goals"

has() {  # has FILE TEXT: a line that contains it
  grep -qF -- "$2" "$tree/$1" || { echo "$1 lacks: $2" >&2; cat "$tree/$1" >&2; exit 1; }
}
has goals "missed        busybox          fast size ÷ UPX --best: 0.951 > 0.95"
has goals "missed        busybox          fast size ÷ UPX --best --lzma: 1.056 > 1.04"
has goals "met           esbuild          fast size ÷ zstd -19 of the original: 0.700 ≤ 0.83"
has goals "met           busybox          fast start overhead ÷ UPX --best, 2 CPUs: 0.800 ≤ 0.80"
has goals "not measured  busybox          small size ÷ UPX --best --lzma: (no such level)"
has goals "not measured  dprint           fast size ÷ UPX --best: (not measured)"
has goals "missed        large            fast pack memory (MB): 1,501 > 1,500"
has goals "met           large            fast pack time for a byte ÷ that at a quarter of the size: 1.100"
has docs/measurements.md "| **busybox** | 2,000,000 | 1,100,000 | 1,000,000 | 1.0 ms |  |  |  |"
has docs/measurements.md "| whittle small | none: no such level |"
has docs/measurements.md "**0.951 > 0.95**"
has docs/measurements.md "| large: fast pack memory (MB) | **1,501 > 1,500** |"
for plot in size-start sizes; do
  python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' \
    "$tree/bench/plots/$plot.svg"
  has docs/measurements.md "bench/plots/$plot.svg"
done
has README.md "| busybox | 2,000,000 | 900,000 | 950,001 | none | 1 · – · 9 · – |"
has README.md "| esbuild | 2,000,000 | none | 700,000 | none |  |"
has bench/plots/size-start.svg "whittle fast</text>"

mkdir "$tree/first"
cp -r "$tree/README.md" "$tree/docs" "$tree/bench/plots" "$tree/first"
"$tree/bench/run" --render >/dev/null
diff -r "$tree/first/plots" "$tree/bench/plots"
diff -r "$tree/first/docs" "$tree/docs"
diff "$tree/first/README.md" "$tree/README.md"
