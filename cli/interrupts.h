// SPDX-License-Identifier: MIT
//
// What `build` does about signals that ask it to end (SIGINT, SIGTERM, SIGHUP, SIGQUIT): passes the
// signal on to the commands of its steps, waits for them, removes its temporary files, says that it
// was interrupted, and ends by the signal. A second signal does not wait: what runs is killed.
//
// A thread of its own takes the signals, which are blocked everywhere else: that thread may wait
// and lock and print, which a handler may not. Work of whittle itself, such as compressing a large
// file, is not waited for.
#pragma once

#include <signal.h>

#include <thread>

#include "common/file_descriptor.h"
#include "flow/run.h"

namespace whittle::cli {

class Interrupts {
 public:
  // Construct it before threads are started that are to leave the signals alone.
  explicit Interrupts(flow::Build& build);
  // Does not return where the build was interrupted.
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  void wait_for_signals();
  [[noreturn]] void end_build(int signal_number);
  int take_signal();  // 0: none has come

  flow::Build& build_;
  sigset_t former_mask_;
  FileDescriptor signals_, over_;  // descriptors: of signals; readable when the build is over
  std::thread thread_;
};

}  // namespace whittle::cli
