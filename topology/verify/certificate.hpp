// A certificate as it was read: every number in it is in range, nothing of what it claims is believed yet. Internal to
// this module.
//
// Threads: plain values and a pure function.
#pragma once

#include "topology/verify/verify.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

struct ReadGroup {
  std::string kind;
  std::string name;
  std::vector<std::uint32_t> nodes;  // ascending, each once
  std::vector<std::uint32_t> links;  // ascending, each once
};

struct ReadArea {
  std::string name;
  std::vector<std::uint32_t> links;  // ascending, each once
  // In the numbers of the area's own graph (areas.hpp), which are not held against it yet.
  std::vector<std::uint32_t> order;
  std::vector<std::uint32_t> back;
  std::vector<std::uint32_t> onward;
  std::vector<std::vector<std::uint32_t>> trees;
};

struct Certificate {
  std::string topology;
  std::string digest;
  std::vector<std::string> nodes;                              // ascending, each once
  std::vector<std::pair<std::uint32_t, std::uint32_t>> links;  // first below second, ascending, each once
  std::vector<ReadGroup> groups;
  std::vector<ReadGroup> reliances;  // without links
  std::vector<std::uint32_t> order;
  std::vector<std::uint32_t> back;
  std::vector<std::uint32_t> onward;
  std::vector<std::vector<std::uint32_t>> trees;
  std::vector<std::vector<std::uint32_t>> survivors;
  std::vector<ReadArea> areas;
};

// errc::not_a_certificate.
base::Result<Certificate> read_certificate(std::string_view text);

}  // namespace verify
