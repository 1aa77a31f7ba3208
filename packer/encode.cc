// SPDX-License-Identifier: MIT
#include "packer/encode.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "packer/mix_encoder.h"
#include "packer/zstd_encoder.h"

namespace whittle::packer {
namespace {

MixModel model_of(std::uint32_t code_transform) {
  switch (code_transform) {
    case kTransformX86:
      return MixModel::x86_code;
    case kTransformAarch64:
      return MixModel::aarch64_code;
    case kTransformRiscv64:
      return MixModel::riscv64_code;
  }
  return MixModel::bytes;
}

struct Job {
  RawStream* raw = nullptr;
  PackStream stream{};
  Bytes packed;
};

Bytes encode_bytes(const RawStream& raw, std::uint32_t codec, std::atomic<std::uint64_t>& done) {
  if (codec == kCodecZstd) return zstd_encode(raw.bytes, &done);
  return mix_encode(raw.bytes, model_of(raw.code_transform), &done);
}

void encode_one(Job& job, std::uint32_t level, std::atomic<std::uint64_t>& done) {
  RawStream& raw = *job.raw;
  job.stream = {.address = raw.address,
                .raw_size = raw.bytes.size(),
                .packed_size = 0,
                .kind = raw.kind,
                .codec = level == kLevelSmall ? kCodecMix : kCodecZstd};
  job.packed = encode_bytes(raw, job.stream.codec, done);
  if (job.packed.size() >= raw.bytes.size()) {
    job.stream.codec = kCodecStored;
    job.packed = std::move(raw.bytes);
  }
  job.stream.packed_size = job.packed.size();
  raw.bytes = {};
}

void encode_all(std::vector<Job>& jobs, std::uint32_t level, const Progress& progress) {
  // The longest first here as well.
  std::vector<Job*> order;
  std::uint64_t total = 0;
  for (Job& job : jobs) {
    order.push_back(&job);
    total += job.raw->bytes.size();
  }
  std::stable_sort(order.begin(), order.end(), [](const Job* a, const Job* b) {
    return a->raw->bytes.size() > b->raw->bytes.size();
  });
  std::atomic<std::uint64_t> done = 0;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size(); i = next++) encode_one(*order[i], level, done);
  };
  std::vector<std::future<void>> workers;
  const std::size_t count =
      std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), order.size());
  for (std::size_t i = 0; i < count; i++) workers.push_back(std::async(std::launch::async, work));
  for (auto& worker : workers) {
    while (worker.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
      if (progress) progress(done, total);
    }
  }
  if (progress) progress(total, total);
  for (auto& worker : workers) worker.get();
}

// What a stream costs to decode, in no unit: about as much for each byte that comes out as for half
// a byte that goes in.
std::uint64_t decode_cost(const PackStream& stream) {
  return stream.raw_size + 2 * stream.packed_size;
}

}  // namespace

Encoded encode(std::vector<StreamGroup> groups, std::uint32_t level, const Progress& progress) {
  std::vector<Job> jobs;
  for (StreamGroup& group : groups) {
    for (RawStream& raw : group.streams) jobs.push_back({.raw = &raw, .stream = {}, .packed = {}});
  }
  encode_all(jobs, level, progress);

  struct Span {
    const StreamGroup* group;
    std::size_t first;  // of its jobs
    std::uint64_t cost;
  };
  std::vector<Span> spans;
  std::size_t at = 0;
  for (const StreamGroup& group : groups) {
    Span span{.group = &group, .first = at, .cost = 0};
    for (std::size_t i = 0; i < group.streams.size(); i++) {
      const PackStream& stream = jobs[at++].stream;
      if (stream.kind != kStreamRest) span.cost += decode_cost(stream);
    }
    spans.push_back(span);  // a rest stream costs nothing, so it is the last
  }
  // Regions made from parts go first: the memory of the parts is needed again later.
  std::stable_sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    const bool a_has_parts = a.group->streams.front().kind == kStreamPart;
    const bool b_has_parts = b.group->streams.front().kind == kStreamPart;
    return a_has_parts != b_has_parts ? a_has_parts : a.cost > b.cost;
  });

  Encoded encoded;
  std::uint64_t scratch = 0;
  for (const Span& span : spans) {
    const auto first = static_cast<std::uint16_t>(encoded.streams.size());
    for (std::size_t i = 0; i < span.group->streams.size(); i++) {
      Job& job = jobs[span.first + i];
      if (job.stream.kind == kStreamPart) {
        job.stream.address = scratch;
        scratch = align_up(scratch + job.stream.raw_size, kPartAlignment);
      }
      encoded.streams.push_back(job.stream);
      encoded.packed.push_back(std::move(job.packed));
    }
    for (PackRegion region : span.group->regions) {
      if (region.part_count != 0)
        region.first_part = static_cast<std::uint16_t>(first + region.first_part);
      encoded.regions.push_back(region);
    }
  }
  return encoded;
}

}  // namespace whittle::packer
