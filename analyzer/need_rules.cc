// SPDX-License-Identifier: MIT
//
// The table. Confidence: `high` if the indicator is used for nothing else, `medium` if it is often
// linked without being reached or if several functions leave the same trace, `low` if most programs
// that show it get along without.
//
// Not detectable in a stripped static glibc program, hence not here: iconv, setlocale, dlopen (its
// start-up code contains them all), and getpwnam alone (looking up users, hosts and services is one
// tangle, reported as needs/nss).
#include "analyzer/need_rules.h"

#include <array>

namespace whittle::analyzer {
namespace {

constexpr NeedKind kKinds[] = {
    {"needs/ca-certificates", "CA certificates",
     "TLS connections fail: no server's certificate can be verified", "{}"},
    {"needs/gconv", "character set tables",
     "iconv_open fails for every character set outside of glibc itself",
     "link with musl, which has them built in; glibc loads /usr/lib/*/gconv of its own version "
     "only"},
    {"needs/nss", "the name service switch",
     "names of users, groups, hosts and services are not found: glibc looks for "
     "/etc/nsswitch.conf and the files or libnss_*.so that it names",
     "{}, with the lines `passwd: files`, `hosts: files dns`, and the files; or link with musl"},
    {"needs/passwd", "a user database", "users and groups are not found, by name or by number",
     "{}"},
    {"needs/proc", "/proc", "what the program asks about itself or the system is not found",
     "container engines mount it; for a bare chroot, mount it"},
    {"needs/processes", "other programs", "starting another program fails: there is none",
     "whittle image --add PROGRAM:/bin/PROGRAM:0755 for each one that is to be started"},
    {"needs/resolver", "host name resolution",
     "host names are not found, localhost included: /etc/resolv.conf and /etc/hosts are missing",
     "container engines put both there; elsewhere, {}"},
    {"needs/shell", "a shell", "commands given to system() or popen() fail with status 127",
     "{}, or start programs without a shell"},
    {"needs/tmp", "a folder for temporary files", "temporary files cannot be made",
     "whittle image --add-dir /tmp:1777, run with a writable /tmp (docker run --tmpfs /tmp), or "
     "set "
     "TMPDIR to a volume"},
    {"needs/zoneinfo", "time zones", "named time zones are not found; local times are those of UTC",
     "Go: import _ \"time/tzdata\"; else {} for each zone"},
};

using enum Sign;
using enum Confidence;

constexpr NeedRule kRules[] = {
    // TLS. Go's HTTP server links the verifier too; a client is what needs the roots.
    {"needs/ca-certificates", kGo, go_function, "net/http.(*Client).do", high,
     "crypto/x509.loadSystemRoots"},
    {"needs/ca-certificates", kGo, go_function, "crypto/tls.dial", high,
     "crypto/x509.loadSystemRoots"},
    {"needs/ca-certificates", kGo, go_function, "crypto/x509.SystemCertPool", high,
     "crypto/x509.loadSystemRoots"},
    {"needs/ca-certificates", kGo, go_function, "crypto/x509.loadSystemRoots", low},
    {"needs/ca-certificates", kNotGo, symbol, "SSL_CTX_set_default_verify_paths", high},
    {"needs/ca-certificates", kNotGo, symbol, "gnutls_certificate_set_x509_system_trust", high},
    {"needs/ca-certificates", kRust, symbol, "*rustls_native_certs*", high},
    {"needs/ca-certificates", kRust, symbol, "*openssl_probe*", high},
    {"needs/ca-certificates", kNotGo, text_inside, "SSL_CERT_FILE", medium},
    {"needs/ca-certificates", kNotGo, text_inside, "/etc/ssl/certs/ca-certificates.crt", medium},

    {"needs/gconv", kAnyGlibc, symbol, "iconv_open", high},

    {"needs/nss", kAnyGlibc, symbol, "__nss_*_lookup2", high},
    {"needs/nss", kAnyGlibc, library_text, "/etc/nsswitch.conf", medium},

    {"needs/passwd", kGo, go_function, "os/user.lookupUser", high},
    {"needs/passwd", kGo, go_function, "os/user.lookupUserId", high},
    {"needs/passwd", kGo, go_function, "os/user.lookupGroup", high},
    {"needs/passwd", kGo, go_function, "os/user.lookupGroupId", high},
    {"needs/passwd", kGo, go_function, "os/user.listGroups", high},
    {"needs/passwd", kGo, go_function, "os/user.current", low},
    {"needs/passwd", kNotGo, symbol, "getpwnam", high},
    {"needs/passwd", kC, symbol, "getpwnam_r", high},
    {"needs/passwd", kNotGo, symbol, "getpwuid", high},
    {"needs/passwd", kC, symbol, "getpwuid_r", high},
    {"needs/passwd", kNotGo, symbol, "getgrnam", high},
    {"needs/passwd", kNotGo, symbol, "getgrnam_r", high},
    {"needs/passwd", kNotGo, symbol, "getgrgid", high},
    {"needs/passwd", kNotGo, symbol, "getgrgid_r", high},
    {"needs/passwd", kRust, symbol, "getpwnam_r", high},
    // Rust's standard library asks it for the home folder where $HOME is not set.
    {"needs/passwd", kRust, symbol, "getpwuid_r", low},
    {"needs/passwd", kMusl, library_text, "/etc/passwd", medium},

    {"needs/proc", kGo, go_function, "os.Executable", low},
    {"needs/proc", kC, text, "/proc/mounts", medium},
    {"needs/proc", kC, text, "/proc/self/mountinfo", medium},
    {"needs/proc", kC, text, "/proc/self/mounts", medium},
    {"needs/proc", kC, text, "/proc/cpuinfo", medium},
    {"needs/proc", kC, text_inside, "/proc/%", medium},
    {"needs/proc", kC, text_inside, "/proc/net/", medium},

    {"needs/processes", kGo, go_function, "os.StartProcess", high},
    {"needs/processes", kGo, go_function, "os/exec.(*Cmd).Start", high},
    {"needs/processes", kNotGo, symbol, "posix_spawnp", high},
    {"needs/processes", kNotGo, symbol, "execvp", high},
    {"needs/processes", kNotGo, symbol, "execlp", high},
    // Where the path is given, it may also be the program's own.
    {"needs/processes", kNotGo, symbol, "execv", medium},
    {"needs/processes", kNotGo, import, "execve", medium},
    // The search path for programs where $PATH is not set.
    {"needs/processes", kAnyGlibc, library_text, "/bin:/usr/bin", medium},
    {"needs/processes", kAnyMusl, library_text, "/usr/local/bin:/bin:/usr/bin", medium},

    {"needs/resolver", kGo, go_function, "net.Dial", high},
    {"needs/resolver", kGo, go_function, "net.DialTimeout", high},
    {"needs/resolver", kGo, go_function, "net/http.(*Client).do", high},
    {"needs/resolver", kGo, go_function, "net.(*Resolver).LookupHost", high},
    {"needs/resolver", kGo, go_function, "net.LookupHost", high},
    {"needs/resolver", kGo, go_function, "net.LookupIP", high},
    // Every server has it, because an address to listen at may be a name.
    {"needs/resolver", kGo, go_function, "net.(*Resolver).lookupIPAddr", low},
    {"needs/resolver", kNotGo, symbol, "getaddrinfo", high},
    {"needs/resolver", kNotGo, symbol, "gethostbyname", high},
    {"needs/resolver", kNotGo, symbol, "gethostbyname_r", high},
    {"needs/resolver", kNotGo, symbol, "gethostbyname2", high},
    {"needs/resolver", kAnyGlibc, library_text, "/etc/gai.conf", medium},
    {"needs/resolver", kAnyMusl, library_text, "/etc/resolv.conf", medium},

    {"needs/shell", kGo, text_inside, "/bin/sh", medium, "os.StartProcess"},
    {"needs/shell", kNotGo, symbol, "system", high},
    {"needs/shell", kNotGo, symbol, "popen", high},
    {"needs/shell", kNotGo, symbol, "wordexp", medium},
    // glibc's posix_spawnp and execvp hold it as well, for scripts without a first line; Rust links
    // those for every child process, and never system().
    {"needs/shell", kC, library_text, "/bin/sh", medium},

    {"needs/tmp", kGo, go_function, "os.CreateTemp", high},
    {"needs/tmp", kGo, go_function, "os.MkdirTemp", high},
    {"needs/tmp", kGo, go_function, "os.TempDir", medium},
    {"needs/tmp", kNotGo, symbol, "tmpfile", high},
    {"needs/tmp", kNotGo, symbol, "tmpfile64", high},
    {"needs/tmp", kNotGo, symbol, "tempnam", high},
    {"needs/tmp", kNotGo, symbol, "tmpnam", high},
    {"needs/tmp", kRust, symbol, "*3std3env8temp_dir*", high},
    {"needs/tmp", kC, whole_text, "/tmp", medium},
    {"needs/tmp", kAnyMusl, text_inside, "/tmp/tmpfile_XXX", medium},

    {"needs/zoneinfo", kGo, go_function, "time.LoadLocation", high},
    {"needs/zoneinfo", kC, symbol, "tzset", medium},
    {"needs/zoneinfo", kC, symbol, "localtime", medium},
    {"needs/zoneinfo", kC, symbol, "localtime_r", medium},
    {"needs/zoneinfo", kC, symbol, "mktime", medium},
    {"needs/zoneinfo", kNotGo, library_text, "/usr/share/zoneinfo", medium},
    {"needs/zoneinfo", kNotGo, library_text, "/usr/share/zoneinfo/", medium},
};

constexpr std::uint8_t kAny = kGo | kC | kRust;
using enum Supply::What;

// Where programs look. The first row that counts for a program is the advice. gconv and processes
// have no row: no file in an image proves that it is the one that the program needs.
//
// Sources: Go, crypto/x509/root_linux.go; OpenSSL, X509_get_default_cert_file (cert.pem of the
// folder that it was built for); rustls/openssl-probe.
constexpr std::string_view kCa = "needs/ca-certificates", kCaFile = "SSL_CERT_FILE";
constexpr std::string_view kBundle = "/etc/ssl/certs/ca-certificates.crt";
constexpr SupplyRule kSupplyRules[] = {
    {kCa, kGo | kRust, file, kBundle, kBundle, {}, kCaFile},
    {kCa, kGo | kRust, file, "/etc/pki/tls/certs/ca-bundle.crt", kBundle, {}, kCaFile},
    {kCa, kGo, file, "/etc/ssl/ca-bundle.pem", kBundle, {}, kCaFile},
    {kCa, kGo, file, "/etc/pki/tls/cacert.pem", kBundle, {}, kCaFile},
    {kCa, kGo, file, "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", kBundle, {}, kCaFile},
    {kCa, kGo | kRust, file, "/etc/ssl/cert.pem", kBundle, {}, kCaFile},
    {kCa, kC, file, kBundle, kBundle, {}, kCaFile, true},
    {kCa, kC, file, "/usr/lib/ssl/cert.pem", kBundle, {}, kCaFile, true},
    {kCa, kC, file, "/etc/ssl/cert.pem", kBundle, {}, kCaFile, true},
    {kCa, kC, file, "/etc/pki/tls/cert.pem", kBundle, {}, kCaFile, true},
    {kCa, kC, file, "/usr/local/ssl/cert.pem", kBundle, {}, kCaFile, true},
    {"needs/nss", kAny, name_services, "/etc/nsswitch.conf"},
    {"needs/passwd", kAny, file, "/etc/passwd", {}, "/etc/group"},
    {"needs/proc", kAny, engine, "/proc"},
    {"needs/resolver", kAny, engine, "/etc/hosts", {}, "/etc/resolv.conf"},
    {"needs/shell", kAny, program, "/bin/sh", "/bin/busybox"},
    {"needs/tmp", kAny, writable_folder, "/tmp", {}, {}, "TMPDIR"},
    {"needs/zoneinfo", kAny, folder, "/usr/share/zoneinfo", "/usr/share/zoneinfo/Europe/Berlin"},
};

constexpr Mitigation kMitigations[] = {
    {"needs/ca-certificates", "golang.org/x/crypto/x509roots/fallback.*"},
    {"needs/ca-certificates", "crypto/x509.SetFallbackRoots"},
    {"needs/zoneinfo", "time/tzdata.*"},
};

}  // namespace

std::span<const NeedKind> need_kinds() { return kKinds; }
std::span<const NeedRule> need_rules() { return kRules; }
std::span<const SupplyRule> supply_rules() { return kSupplyRules; }
std::span<const Mitigation> mitigations() { return kMitigations; }

}  // namespace whittle::analyzer
