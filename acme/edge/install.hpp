// Bundles on disk:
//
//   DIRECTORY/tenant-7/<fingerprint>/fullchain.pem (0644)  privkey.pem (0600)  haproxy.pem (0600)  bundle.json
//   DIRECTORY/tenant-7/live -> <fingerprint>
//
// A version is written beside the live one, bundle.json last; replacing the link is the one step that makes it live. So
// chain and key always belong together, a crash leaves the former version live, and going back is replacing the link.
// haproxy.pem is chain and key in one file, made when KeyFiles asks for it. Files with a key belong to root alone, or
// to the group that KeyFiles names too (0640), for web servers that do not read them as root.
//
// Threads: no shared state; one owner a directory. Calls block for the length of a few small writes.
#pragma once

#include "acme/edge/client/bundle.hpp"

#include <optional>
#include <string>
#include <vector>

namespace edge {

struct KeyFiles {
  bool combined = false;
  std::string group;  // empty: none
};

class Installation {
 public:
  explicit Installation(std::string directory, KeyFiles files = {})
      : directory_(std::move(directory)), files_(std::move(files)) {}

  // Live bundles, sorted by id; a bundle whose live version is not complete is left out. Creates the directory.
  // bad_directory here and below: it cannot be read or written, or the group does not exist.
  [[nodiscard]] base::Result<std::vector<BundleItem>> observe() const;
  // Ids of everything that has a bundle's folder, sorted: also what was staged and never made live, and what is left of
  // a removal that was interrupted.
  [[nodiscard]] base::Result<std::vector<std::string>> folders() const;
  [[nodiscard]] bool has_folder(std::string const& id) const;
  // Writes the version beside the live one.
  [[nodiscard]] base::Result<void> stage(Bundle const& bundle) const;
  [[nodiscard]] std::optional<std::string> live(std::string const& id) const;  // its fingerprint
  // Atomically; without a fingerprint nothing is live afterwards.
  [[nodiscard]] base::Result<void> make_live(std::string const& id,
                                             std::optional<std::string> const& fingerprint) const;
  [[nodiscard]] base::Result<void> remove(std::string const& id) const;
  // Removes the versions that are not live.
  [[nodiscard]] base::Result<void> prune(std::string const& id) const;

 private:
  [[nodiscard]] base::Result<void> write_key_file(std::string const& path, std::string const& text) const;

  std::string directory_;
  KeyFiles files_;
};

// Wanted against observed, in any order; pure. `fetch` has what is missing or is another one, `remove` what is gone.
struct Difference {
  std::vector<BundleItem> fetch;
  std::vector<std::string> remove;
  bool operator==(Difference const&) const = default;
};
[[nodiscard]] Difference difference(std::vector<BundleItem> const& wanted, std::vector<BundleItem> const& observed);

}  // namespace edge
