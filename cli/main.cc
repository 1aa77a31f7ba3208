// SPDX-License-Identifier: MIT
//
// The one place that catches, and turns the kind of an error into the exit status.
#include <signal.h>

#include <new>

#include "cli/app.h"
#include "cli/output.h"
#include "common/error.h"
#include "common/file.h"

namespace {

using namespace whittle;

int guarded(int argc, char** argv) {
  try {
    cli::Program program;
    cli::add_build(program);
    cli::add_audit(program);
    cli::add_inspect(program);
    cli::add_report(program);
    cli::add_strip(program);
    cli::add_pack(program);
    cli::add_unpack(program);
    cli::add_verify(program);
    cli::add_image(program);
    return program.run(argc, argv);
  } catch (const Error& error) {
    cli::print_error(error.what());
    return exit_code(error.kind());
  } catch (const cli::BrokenPipe&) {
    // Die of the signal, as a program would that does not handle broken pipes, but cleaned up.
    ::signal(SIGPIPE, SIG_DFL);
    ::raise(SIGPIPE);
  } catch (const std::bad_alloc&) {
    cli::print_error("out of memory");
    return exit_code(ErrorKind::io);
  } catch (const std::exception& error) {
    cli::print_error(std::string("internal error: ") + error.what());
  }
  return exit_code(ErrorKind::internal);
}

}  // namespace

int main(int argc, char** argv) {
  // Writes then fail, and say so.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  remove_temporaries_on_signals();
  return guarded(argc, argv);
}
