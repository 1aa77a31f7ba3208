// SPDX-License-Identifier: MIT
#include "packer/encode.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "packer/mix_encoder.h"
#include "packer/stubs.h"
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

// One form of a stream.
struct Coded {
  std::uint32_t codec = kCodecStored;
  Bytes bytes;
};

struct Job {
  RawStream* raw = nullptr;
  std::vector<Coded> forms;  // by every codec of the level
};

void encode_one(Job& job, std::uint32_t level, std::atomic<std::uint64_t>& done) {
  const RawStream& raw = *job.raw;
  if (level == kLevelSmall) {
    job.forms.push_back({kCodecMix, mix_encode(raw.bytes, model_of(raw.code_transform), &done)});
    job.forms.push_back({kCodecZstd, zstd_encode(raw.bytes)});
  } else {
    job.forms.push_back({kCodecZstd, zstd_encode(raw.bytes, &done)});
  }
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

// What a stream costs to decode, in nanoseconds, roughly.
std::uint64_t decode_cost(const PackStream& stream) {
  if (stream.codec == kCodecMix) return 100 * stream.packed_size;
  return stream.raw_size / 2 + 3 * stream.packed_size;
}

// The streams with one codec each, of `codecs` alone, by index of the codec.
struct Selection {
  std::vector<std::size_t> forms;  // of each job; none: stored
  std::uint64_t size = 0;          // bytes of the streams and of the stub that decodes them
};
constexpr std::size_t kStored = SIZE_MAX;

// A form that is a little larger and many times as quick to decode is the better one.
std::uint64_t price(const Coded& form) {
  return form.codec == kCodecMix ? form.bytes.size() + form.bytes.size() / 32 : form.bytes.size();
}

Selection select(const std::vector<Job>& jobs, std::uint16_t machine, bool zstd_too) {
  Selection selection;
  std::uint32_t features = 0;
  for (const Job& job : jobs) {
    std::size_t best = kStored;
    std::uint64_t least = job.raw->bytes.size();
    for (std::size_t i = 0; i < job.forms.size(); i++) {
      const bool is_free = job.raw->kind == kStreamRest || i == 0 || zstd_too;
      if (is_free && price(job.forms[i]) < least) {
        best = i;
        least = price(job.forms[i]);
      }
    }
    selection.forms.push_back(best);
    selection.size += best == kStored ? least : job.forms[best].bytes.size();
    if (best != kStored && job.raw->kind != kStreamRest) {
      features |= job.forms[best].codec == kCodecMix ? kStubMix : kStubZstd;
    }
  }
  selection.size += smallest_stub(machine, features).code.size();
  return selection;
}

}  // namespace

Encoded encode(std::vector<StreamGroup> groups, std::uint32_t level, std::uint16_t machine,
               const Progress& progress) {
  std::vector<Job> jobs;
  for (StreamGroup& group : groups) {
    for (RawStream& raw : group.streams) jobs.push_back({.raw = &raw, .forms = {}});
  }
  encode_all(jobs, level, progress);
  // A second decoder in the stub has to earn its keep.
  const Selection few = select(jobs, machine, false), all = select(jobs, machine, true);
  std::vector<PackStream> streams;
  std::vector<Bytes> packed;
  for (std::size_t i = 0; i < jobs.size(); i++) {
    const std::size_t form = (all.size < few.size ? all : few).forms[i];
    Coded coded;
    if (form != kStored)
      coded = std::move(jobs[i].forms[form]);
    else
      coded.bytes = jobs[i].raw->bytes;
    streams.push_back({.address = jobs[i].raw->address,
                       .raw_size = jobs[i].raw->bytes.size(),
                       .packed_size = coded.bytes.size(),
                       .kind = jobs[i].raw->kind,
                       .codec = coded.codec});
    packed.push_back(std::move(coded.bytes));
  }

  struct Span {
    const StreamGroup* group;
    std::size_t begin;  // of its streams
    std::uint64_t cost;
  };
  std::vector<Span> spans;
  std::size_t at = 0;
  for (const StreamGroup& group : groups) {
    Span span{.group = &group, .begin = at, .cost = 0};
    for (std::size_t i = 0; i < group.streams.size(); i++) {
      const PackStream& stream = streams[at++];
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
      PackStream& stream = streams[span.begin + i];
      if (stream.kind == kStreamPart) {
        stream.address = scratch;
        scratch = align_up(scratch + stream.raw_size, kPartAlignment);
      }
      encoded.streams.push_back(stream);
      encoded.packed.push_back(std::move(packed[span.begin + i]));
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
