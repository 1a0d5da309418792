// The include file for nginx's `http` block: one server a bundle, TLS only. Everything a tenant's server does beyond
// its certificate is the operator's, in the file that `tenant_include` names.
//
// Threads: pure.
#pragma once

#include "acme/edge/client/bundle.hpp"

#include <string>
#include <vector>

namespace edge {

struct NginxSettings {
  std::vector<std::string> listen{"443", "[::]:443"};  // " ssl" is added
  std::string directory;                               // of the bundles (install.hpp)
  // Included in each server; "{tenant}" and "{id}" are replaced. With a '*' in it nginx accepts that no such file
  // exists. Empty: no include.
  std::string tenant_include;
  // nginx refuses to start when a name does not fit its hash buckets, and its default fits 48 octets. 0: not written.
  unsigned names_hash_bucket = 256;
};

// Bundles in the order of their ids; the same input gives the same text.
[[nodiscard]] std::string render_nginx(std::vector<BundleItem> bundles, NginxSettings const& settings);

}  // namespace edge
