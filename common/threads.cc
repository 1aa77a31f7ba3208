// SPDX-License-Identifier: MIT
#include "common/threads.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <thread>
#include <vector>

namespace whittle {

unsigned processor_count() { return std::max(1U, std::thread::hardware_concurrency()); }

void run_on_threads(unsigned count, const std::function<void()>& work,
                    const std::function<void()>& meanwhile) {
  constexpr std::chrono::milliseconds kTick{100};
  std::vector<std::future<void>> threads;  // they wait for their threads when they are destroyed
  try {
    while (threads.size() < count) threads.push_back(std::async(std::launch::async, work));
  } catch (const std::exception&) {  // no thread, or no memory for one: fewer then
  }
  if (threads.empty()) work();
  for (auto& thread : threads) {
    while (meanwhile && thread.wait_for(kTick) != std::future_status::ready) meanwhile();
    thread.wait();
  }
  for (auto& thread : threads) thread.get();
}

}  // namespace whittle
