// What HAProxy and Caddy read of the bundles (nginx has a header of its own).
//
// HAProxy: a crt-list, one line a bundle: the file with chain and key (install.hpp makes it when told to), then the
// names for which it is served. `bind :443 ssl strict-sni crt-list FILE` reads it; an empty list is then no error.
// Caddy: an import for the Caddyfile, one site block a bundle, which imports the operator's snippet `(tenant)` with
// label and id as its arguments. It names files by fingerprint: a configuration that says what it said before is not
// loaded again, and a renewed certificate behind the same path would wait for a restart.
//
// Threads: pure.
#pragma once

#include "acme/edge/client/bundle.hpp"

#include <string>
#include <vector>

namespace edge {

// Each host name once, since web servers refuse or ignore the second: of several bundles with a name it stays with the
// one that is not leaving, then with the newer sequence, then with the lower id. A bundle that has none left is left
// out. In the order of their ids. Every include is made of this.
[[nodiscard]] std::vector<BundleItem> each_name_once(std::vector<BundleItem> bundles);

// Bundles in the order of their ids; the same input gives the same text.
[[nodiscard]] std::string render_haproxy(std::vector<BundleItem> bundles, std::string const& directory);
[[nodiscard]] std::string render_caddy(std::vector<BundleItem> bundles, std::string const& directory);

}  // namespace edge
