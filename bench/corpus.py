# SPDX-License-Identifier: MIT
"""What is packed and run: published programs, a sample of ours, and large files made of them."""

import pathlib
import re
import shutil
import subprocess
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORPUS = ROOT / "build" / "corpus"
CACHE = ROOT / "build" / "bench"

ESBUILD = "@esbuild/linux-x64"
DPRINT = "@dprint/linux-x64-musl"
LEFTHOOK = "lefthook-linux-x64"
TYPESCRIPT = "typescript"  # what esbuild is given to do
UPX = "upx-linux"
AST_GREP = "@ast-grep/cli-linux-x64-gnu"
BUN = "@oven/bun-linux-x64-musl"


@dataclass(frozen=True)
class Program:
    name: str            # as in goals.csv
    version: str
    original: pathlib.Path
    arguments: tuple = ()  # of the start-up measurement; empty: it cannot run here


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def fetch(*packages):
    """Raises RuntimeError with the reason."""
    done = subprocess.run([ROOT / "scripts/fetch-corpus", CORPUS, *packages], check=False,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(packages)} cannot be fetched: {done.stderr.strip()}")


def version_of(package):
    text = (CORPUS / package / "package.json").read_text(encoding="utf-8")
    return re.search(r'"version": *"([^"]+)"', text)[1]


def hello():
    """The sample as its build.yml builds it."""
    folder = CACHE / "hello-http"
    shutil.copytree(ROOT / "samples" / "hello-http", folder, dirs_exist_ok=True)
    command = re.search(r"^ *run: (.*)$", (folder / "build.yml").read_text(encoding="utf-8"), re.M)
    subprocess.run(command[1], shell=True, check=True, cwd=folder)
    return Program("hello-http", output_of("go", "version").split()[2], folder / "hello-http",
                   ("--greet",))


def installed(command):
    path = shutil.which(command)
    if path is None:
        raise RuntimeError(f"there is no {command}")
    return pathlib.Path(path).resolve()


def busybox():
    path = installed("busybox")
    return Program("busybox", output_of(path, "--help").split()[1].lstrip("v"), path, ("true",))


def published(name, package, path, arguments=()):
    fetch(package)
    return Program(name, version_of(package), CORPUS / package / path, arguments)


def packaged(command, package):
    """Of Debian, which is where the version comes from."""
    version = output_of("dpkg-query", "-W", "-f", "${source:Upstream-Version}", package)
    return Program(command, version, installed(command))


def go_command(name):
    return Program(name, output_of("go", "version").split()[2],
                   pathlib.Path(output_of("go", "env", "GOROOT").strip()) / "bin" / name)


def stripped(program):
    """The published program without its symbols."""
    path = CACHE / "stripped" / program.original.name
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["strip", "-o", path, program.original], check=True)
    return Program(program.name, program.version, path, program.arguments)


# By name: how to get it. Getting it raises RuntimeError or CalledProcessError.
PROGRAMS = {
    "esbuild": lambda: published("esbuild", ESBUILD, "bin/esbuild", ("--version",)),
    "hello-http": hello,
    "dprint": lambda: stripped(published("dprint", DPRINT, "dprint", ("--version",))),
    "busybox": busybox,
    "esbuild arm64": lambda: published("esbuild arm64", "@esbuild/linux-arm64", "bin/esbuild"),
    "esbuild riscv64": lambda: published("esbuild riscv64", "@esbuild/linux-riscv64",
                                         "bin/esbuild"),
}

# What is audited, likewise.
AUDITED = {
    "hello-http": hello,
    "esbuild": PROGRAMS["esbuild"],
    "esbuild arm64": PROGRAMS["esbuild arm64"],
    "esbuild riscv64": PROGRAMS["esbuild riscv64"],
    "go": lambda: go_command("go"),
    "gofmt": lambda: go_command("gofmt"),
    "dprint": lambda: published("dprint", DPRINT, "dprint"),
    "ast-grep": lambda: published("ast-grep", AST_GREP, "ast-grep"),
    "bun": lambda: published("bun", BUN, "bin/bun"),
    "busybox": busybox,
    "bash-static": lambda: packaged("bash-static", "bash-static"),
    "zsh-static": lambda: packaged("zsh-static", "zsh-static"),
    "sash": lambda: packaged("sash", "sash"),
}


def bundling(folder, copies):
    """Arguments that make esbuild bundle and minify TypeScript's compiler, `copies` times."""
    fetch(TYPESCRIPT)
    sources = []
    folder.mkdir(parents=True, exist_ok=True)
    for copy in range(copies):
        for name in ("typescript.js", "_tsc.js"):
            path = folder / f"{copy}{name}"
            shutil.copy(CORPUS / TYPESCRIPT / "lib" / name, path)
            sources.append(path)
    return (*sources, "--bundle", "--minify", "--platform=node", "--log-level=error",
            f"--outdir={folder / 'out'}")


def large_programs():
    """Yields executables of about 11, 25, 58 and 100 MB: a small program that carries real ones in
    its code and read-only data. They differ, as the parts of a large program do; the packer would
    find it if one were repeated, and that costs less than a large program does."""
    arm64, riscv64 = "@esbuild/linux-arm64", "@esbuild/linux-riscv64"
    fetch(ESBUILD, LEFTHOOK, DPRINT, arm64, riscv64, TYPESCRIPT)
    code = [CORPUS / ESBUILD / "bin/esbuild", CORPUS / LEFTHOOK / "bin/lefthook",
            CORPUS / DPRINT / "dprint"]
    for count in range(1, len(code) + 1):
        yield _carrying(f"large-{count}", code[:count], [])
    yield _carrying("large-all", [*code, hello().original, busybox().original],
                    [CORPUS / arm64 / "bin/esbuild", CORPUS / riscv64 / "bin/esbuild",
                     *sorted((CORPUS / TYPESCRIPT / "lib").glob("*.js"))])


def _carrying(name, code, data):
    lines = [".globl _start", "_start: mov $60, %eax", "xor %edi, %edi", "syscall"]
    lines += [f'.incbin "{path}"' for path in code]
    lines += [".section .rodata", *(f'.incbin "{path}"' for path in data), ""]
    folder = CACHE / "large"
    folder.mkdir(parents=True, exist_ok=True)
    source, output = folder / f"{name}.s", folder / name
    source.write_text("\n".join(lines), encoding="utf-8")
    subprocess.run(["gcc", "-nostdlib", "-static", "-no-pie", "-s", "-Wl,--build-id=none",
                    "-o", output, source], check=True)
    return output
