// The last worlds this node applied, on disk, so that it starts with every controller unreachable.
//
// A file a generation, "world-<revision>", written whole (temp file, fsync, rename) and headed by a checksum; the
// newest that is intact, and that the caller believes, is the last-known world. The checksum finds what a disk did, the
// signature inside what a person did. Only texts and public keys are in it: identity is never read from a snapshot.
//
// Threads: one loop; calls block for the time of a small file.
#pragma once

#include "mesh/signed_world/signed_world.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

enum class errc {
  not_joined = 1,  // no key or certificate in the state directory
  damaged,         // a snapshot's checksum or form is wrong
  no_world,        // neither snapshot, seed nor controller gave a world to plan from
  older,           // a world of a lower revision than the one in use
  other_node,      // a world in which this node has another key than its own
  cut_off,         // a world that would leave this node without key or links
};
boost::system::error_code make_error_code(errc code);

class Snapshots {
 public:
  static constexpr std::size_t generations = 5;

  // `directory` is made when it is missing.
  explicit Snapshots(std::string directory) : directory_(std::move(directory)) {}

  // Writes nothing when the newest generation is this very world.
  base::Result<void> save(signed_world::SignedWorld const& world, std::int64_t revision);

  // Why a world is not to be used.
  using Accept = std::function<base::Result<void>(signed_world::SignedWorld const&)>;

  // The intact world of the highest revision that `accept` takes; `passed_over` gets one sentence for each file before
  // it.
  std::optional<signed_world::SignedWorld> newest(std::vector<std::string>& passed_over,
                                                  Accept const& accept = {}) const;

 private:
  struct File {
    std::int64_t revision = 0;
    std::string path;
  };
  [[nodiscard]] std::vector<File> files() const;  // highest revision first
  std::string directory_;
};

// The file form, pure: one line "sovereign-world 1 <sha256 of the rest>", then the JSON. errc::damaged.
std::string encode_snapshot(signed_world::SignedWorld const& world);
base::Result<signed_world::SignedWorld> decode_snapshot(std::string_view text);

}  // namespace agent

template <>
struct boost::system::is_error_code_enum<agent::errc> : std::true_type {};
