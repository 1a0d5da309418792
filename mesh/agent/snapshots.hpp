// The last worlds this node applied, on disk, so that it starts with every controller unreachable.
//
// A file a generation, "world-<revision>", written whole (temp file, fsync, rename) and headed by a checksum; the
// newest that is intact is the last-known world. Only texts and public keys are in it: identity is never read from a
// snapshot.
//
// Threads: one loop; calls block for the time of a small file.
#pragma once

#include "mesh/plan/world.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

enum class errc {
  not_joined = 1,  // no key or certificate in the state directory
  damaged,         // a snapshot's checksum or form is wrong
  no_world,        // neither snapshot, seed nor controller gave a world to plan from
};
boost::system::error_code make_error_code(errc code);

class Snapshots {
 public:
  static constexpr std::size_t generations = 5;

  // `directory` is made when it is missing.
  explicit Snapshots(std::string directory) : directory_(std::move(directory)) {}

  // Writes nothing when the newest generation is this very document.
  base::Result<void> save(plan::WorldDocument const& document);

  // The intact document of the highest revision; `damaged` gets one sentence for each file that was passed over.
  std::optional<plan::WorldDocument> newest(std::vector<std::string>& damaged) const;

 private:
  struct File {
    std::int64_t revision = 0;
    std::string path;
  };
  [[nodiscard]] std::vector<File> files() const;  // highest revision first
  std::string directory_;
};

// The file form, pure: one line "sovereign-world 1 <sha256 of the rest>", then the JSON. errc::damaged.
std::string encode_snapshot(plan::WorldDocument const& document);
base::Result<plan::WorldDocument> decode_snapshot(std::string_view text);

}  // namespace agent

template <>
struct boost::system::is_error_code_enum<agent::errc> : std::true_type {};
