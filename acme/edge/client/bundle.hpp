// What Navigator hands to edges, read from its JSON as outside input: ids become folder names and names become lines of
// the web server's configuration, so both are held to narrow alphabets.
//
// Bounds: 10,000 bundles in one answer, 100 names a bundle, ids of 64 octets of [a-z0-9-], 256 KiB of PEM.
//
// Threads: plain values and pure functions.
#pragma once

#include "acme/edge/client/errc.hpp"
#include "base/result/problem.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edge {

struct BundleItem {
  std::string id;                  // "tenant-7"
  std::string tenant;              // DNS label
  std::vector<std::string> names;  // of the certificate; "*." allowed
  std::string fingerprint;         // SHA-256 of the leaf's DER, lower-case hex
  std::int64_t sequence = 0;       // rises with each certificate
  // It goes as soon as no site answers with it any more: others with its names come first. Neither kept on disk nor
  // part of what makes two of them equal; older Navigators do not say it.
  bool leaving = false;
  bool operator==(BundleItem const& other) const {
    return id == other.id && tenant == other.tenant && names == other.names && fingerprint == other.fingerprint &&
           sequence == other.sequence;
  }
};

// A list, a page of one, or what changed in it.
struct BundleList {
  std::int64_t sequence = 0;  // opaque: ask again with `since` and wait for another one
  std::vector<BundleItem> bundles;
  bool complete = true;           // else: what changed since `since`
  std::vector<std::string> gone;  // ids, when it is not complete
  std::int64_t next = 0;          // of a page: ask for the next with `after`; 0: that was all
  bool operator==(BundleList const&) const = default;
};

struct Bundle {
  BundleItem item;
  std::string chain_pem;  // leaf first
  std::string key_pem;
  bool operator==(Bundle const&) const = default;
};

// A value only when everything is good: a list that lacks a broken item would read as "remove that bundle".
[[nodiscard]] boost::system::result<BundleList, base::Problems> parse_list(std::string_view body);
[[nodiscard]] boost::system::result<Bundle, base::Problems> parse_bundle(std::string_view body);
// A bundle's description as it is kept beside its files, and the way back.
[[nodiscard]] std::string to_json(BundleItem const& item);
[[nodiscard]] boost::system::result<BundleItem, base::Problems> parse_item(std::string_view body);

// The leaf has the announced fingerprint and the key fits it; bad_bundle otherwise.
[[nodiscard]] base::Result<void> verify(Bundle const& bundle);

// The name to say in a handshake: a name without wildcard, else the wildcard with a label in its place.
[[nodiscard]] std::string probe_name(BundleItem const& item);

}  // namespace edge
