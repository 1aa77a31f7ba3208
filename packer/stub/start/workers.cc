// SPDX-License-Identifier: MIT
//
// A thread is made by the bare system call: it shares everything with the process, has a few
// kilobytes of stack and no thread-local storage, runs `expand` and ends. (clone(2); the flags are
// those that every threads library uses, since emulators know no others.)
//
// Joining takes two steps. The kernel zeroes the thread's id and wakes who waits for it
// (CLONE_CHILD_CLEARTID) when the thread has let go of memory, a moment before it leaves the
// process. A program that counts its threads, or asks for what only a process with one thread may
// have (unshare, setns), must not see that moment, so the second step asks for the id until the
// kernel no longer knows it.
#include "packer/stub/start/workers.h"

#include "packer/stub/base/linux.h"
#include "packer/stub/base/system.h"

namespace whittle::stub {
namespace {

constexpr uint32_t kMaxWorkers = 4;
// Bytes of payload; less is done sooner alone.
constexpr uint64_t kPayloadPerWorkerFast = uint64_t{1} << 19, kPayloadPerWorkerSmall = 1 << 16;
constexpr size_t kStackSize = 16 * 1024;

struct Worker {
  Expansion* expansion;
  uint32_t thread;  // its id while it lives, zeroed by the kernel
  Workspace workspace;
  alignas(16) uint8_t stack[kStackSize];
};

// The scratch memory follows.
struct Shared {
  Expansion expansion;
  Worker first;  // the process's own thread
};

uint32_t worker_count(const Packed& packed) {
  const uint64_t worth = packed.header->payload_size / (packed.header->level == packer::kLevelSmall
                                                            ? kPayloadPerWorkerSmall
                                                            : kPayloadPerWorkerFast);
  if (worth < 2) return 1;
  uint64_t mask[128];  // 8,192 processors, as many as Linux is built for
  const long size = sys_sched_getaffinity(mask, sizeof mask);
  uint32_t processors = 0;
  for (long i = 0; !failed(size) && i < size / 8; i++) {
    for (uint64_t bits = mask[i]; bits != 0; bits &= bits - 1) processors++;
  }
  uint64_t count = processors < worth ? processors : worth;
  if (count > kMaxWorkers) count = kMaxWorkers;
  return count < 1 ? 1 : static_cast<uint32_t>(count);
}

// Zero memory, or null where there is none.
void* allocate(uint64_t size) {
  const long address = sys_mmap(0, size, kProtRead | kProtWrite, kMapPrivate | kMapAnonymous, -1);
  return failed(address) ? nullptr : reinterpret_cast<void*>(address);
}
void deallocate(void* memory, uint64_t size) {
  if (memory != nullptr) sys_munmap(reinterpret_cast<uint64_t>(memory), size);
}

// Waits until the thread has left the process.
void join(Worker& worker, uint32_t thread) {
  for (uint32_t id; (id = __atomic_load_n(&worker.thread, __ATOMIC_ACQUIRE)) != 0;) {
    sys_futex(&worker.thread, kFutexWait, id);
  }
  const long process = sys_getpid();
  // Not for ever: a filter of system calls may claim success. The thread has a few instructions
  // left to run, so these turns, about a second, are plenty.
  constexpr uint32_t kMostTurns = 1U << 20;
  for (uint32_t i = kMostTurns; i != 0 && !failed(sys_tgkill(process, thread, 0)); i--) {
    sys_sched_yield();
  }
}

}  // namespace

// In clone_*.S. Starts a thread that calls whittle_worker(argument) on the stack that ends at
// `stack_end` and then exits; its id goes to *id. Negative where the system refuses.
extern "C" __attribute__((visibility("hidden"))) long whittle_clone(long flags, uint8_t* stack_end,
                                                                    uint32_t* id, Worker* argument);

extern "C" __attribute__((visibility("hidden"))) void whittle_worker(Worker* worker) {
  expand(*worker->expansion, worker->workspace);
}

WorkersStatus expand_with_workers(const Packed& packed, uint8_t* image, uint64_t image_size) {
  const uint64_t scratch_size = scratch_size_of(packed);
  uint64_t size;
  if (__builtin_add_overflow(sizeof(Shared), scratch_size, &size)) return WorkersStatus::no_memory;
  auto* shared = static_cast<Shared*>(allocate(size));
  if (shared == nullptr) return WorkersStatus::no_memory;
  shared->expansion.packed = packed;
  shared->expansion.image = image;
  shared->expansion.image_size = image_size;
  shared->expansion.scratch = reinterpret_cast<uint8_t*>(shared + 1);
  shared->expansion.scratch_size = scratch_size;

#if defined(WHITTLE_WITH_MIX)
  // The digest has read all of it at once; decoding comes by slowly, and lets go of it on the way.
  release_memory(packed.payload, packed.payload + packed.header->payload_size);
#endif
  const uint32_t others = worker_count(packed) - 1;
  const uint64_t others_size = others * sizeof(Worker);
  auto* workers = others != 0 ? static_cast<Worker*>(allocate(others_size)) : nullptr;
  uint32_t ids[kMaxWorkers];
  uint32_t started = 0;
  while (workers != nullptr && started < others) {
    Worker& worker = workers[started];
    worker.expansion = &shared->expansion;
    const long id = whittle_clone(kCloneThread, worker.stack + kStackSize, &worker.thread, &worker);
    if (failed(id)) break;
    ids[started++] = static_cast<uint32_t>(id);
  }
  expand(shared->expansion, shared->first.workspace);
  for (uint32_t i = 0; i < started; i++) join(workers[i], ids[i]);

  const ExpandStatus status = shared->expansion.status;
  deallocate(workers, others_size);
  deallocate(shared, size);
  return status == ExpandStatus::ok ? WorkersStatus::ok : WorkersStatus::damaged;
}

}  // namespace whittle::stub
