// Whether CAA records let a CA issue (RFC 8659, with RFC 8657's accounturi and validationmethods), decided before the
// CA is asked: an order that CAA forbids costs a failed authorization, of which CAs allow a few an hour.
//
// Threads: pure functions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace acme {

struct CaaRecord {
  bool critical = false;
  std::string tag;    // lower case
  std::string value;  // without its quotes
  bool operator==(CaaRecord const&) const = default;
};
// `0 issue "ca.example; accounturi=https://..."`, as the store keeps it. Nothing when it is not a CAA record's content.
[[nodiscard]] std::optional<CaaRecord> parse_caa(std::string_view content);

struct CaaQuestion {
  std::vector<std::string> identities;  // what the CA answers to (directory, caaIdentities); empty: everything is
                                        // permitted, because nothing can be known
  std::string account_url;
  std::string method = "dns-01";
};

// The contents of the CAA RRset at a name; empty when it has none or when the name is not ours to know.
using CaaLookup = std::function<std::vector<std::string>(std::string const& name)>;

// Empty when the CA may issue for `name` ("*." allowed); else one sentence that names the record's place.
[[nodiscard]] std::string caa_refusal(std::string const& name, CaaQuestion const& question, CaaLookup const& lookup);

}  // namespace acme
