// The limits of a CA as Let's Encrypt has them: buckets that fill up again evenly, of new orders of an account, of
// certificates of a registered domain and of exactly the same names, of failed validations of a name. An order that
// names what it replaces is counted by none; one for names that had a certificate by no bucket but that of the names.
//
// Threads: a plain object.
#pragma once

#include "acme/crypto/time.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace test {

inline std::string rfc3339(crypto::Time time) {
  std::time_t const seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

class ScriptedLimits {
 public:
  struct Limit {
    int count = 0;  // 0: none
    std::chrono::milliseconds per{0};
  };
  Limit orders, domain, names, failures;
  std::set<std::string> suffixes;  // names right below are registered domains; else the last two labels are

  struct Refusal {
    std::string detail;
    std::chrono::seconds after{0};
  };
  // Takes from the bucket of orders, unless something is used up.
  std::optional<Refusal> ordered(std::string const& account, std::vector<std::string> const& wanted, bool replaces,
                                 crypto::Time now) {
    if (replaces) {
      return std::nullopt;
    }
    bool const renewal = issued_.contains(joined(wanted));
    for (std::string const& name : wanted) {
      if (auto const used_up = look(failures, "failures of " + bare(name), now)) {
        return refusal("too many failed authorizations for " + bare(name), *used_up);
      }
      auto const used_up = renewal ? std::nullopt : look(domain, "domain " + registered(name), now);
      if (used_up) {
        return refusal("too many certificates already issued for " + registered(name), *used_up);
      }
    }
    if (auto const used_up = look(names, "names " + joined(wanted), now)) {
      return refusal("too many certificates already issued for this exact set of identifiers", *used_up);
    }
    if (renewal) {
      return std::nullopt;
    }
    if (auto const used_up = look(orders, "orders of " + account, now)) {
      return refusal("too many new orders by this account", *used_up);
    }
    take(orders, "orders of " + account, now);
    return std::nullopt;
  }
  void issued(std::vector<std::string> const& wanted, bool replaces, crypto::Time now) {
    std::string const set = joined(wanted);
    std::set<std::string> domains;
    for (std::string const& name : wanted) {
      domains.insert(registered(name));
    }
    for (std::string const& one : domains) {
      if (!replaces && !issued_.contains(set)) {
        take(domain, "domain " + one, now);
      }
    }
    if (!replaces) {
      take(names, "names " + set, now);
    }
    issued_.insert(set);
  }
  void failed(std::string const& name, crypto::Time now) { take(failures, "failures of " + bare(name), now); }

 private:
  struct Bucket {
    double tokens;
    crypto::Time at;
  };

  static std::string bare(std::string const& name) { return name.starts_with("*.") ? name.substr(2) : name; }
  static std::string joined(std::vector<std::string> wanted) {
    std::ranges::sort(wanted);
    std::string text;
    for (std::string const& name : wanted) {
      text += name + " ";
    }
    return text;
  }
  [[nodiscard]] std::string registered(std::string const& name) const {
    std::string const plain = bare(name);
    for (std::size_t dot = plain.find('.'), start = 0; dot != std::string::npos; dot = plain.find('.', start)) {
      std::string const above = plain.substr(dot + 1);
      if (suffixes.contains(above) || above.find('.') == std::string::npos) {
        return plain.substr(start);
      }
      start = dot + 1;
    }
    return plain;
  }
  static std::optional<Refusal> refusal(std::string detail, std::chrono::milliseconds wait) {
    return Refusal{std::move(detail), std::chrono::ceil<std::chrono::seconds>(wait)};
  }

  Bucket& filled(Limit const& limit, std::string const& key, crypto::Time now) {
    auto const [at, fresh] = buckets_.try_emplace(key, Bucket{static_cast<double>(limit.count), now});
    Bucket& bucket = at->second;
    double const share = std::chrono::duration<double>(now - bucket.at) / std::chrono::duration<double>(limit.per);
    bucket.tokens = std::min<double>(limit.count, bucket.tokens + share * limit.count);
    bucket.at = now;
    return bucket;
  }
  // How long until there is one again; nothing: there is.
  std::optional<std::chrono::milliseconds> look(Limit const& limit, std::string const& key, crypto::Time now) {
    if (limit.count == 0) {
      return std::nullopt;
    }
    double const missing = 1 - filled(limit, key, now).tokens;
    auto const each = std::chrono::duration<double, std::milli>(limit.per) / limit.count;
    return missing <= 0 ? std::nullopt
                        : std::optional(std::chrono::ceil<std::chrono::milliseconds>(each * missing));
  }
  void take(Limit const& limit, std::string const& key, crypto::Time now) {
    if (limit.count != 0) {
      filled(limit, key, now).tokens -= 1;
    }
  }

  std::map<std::string, Bucket> buckets_;
  std::set<std::string> issued_;
};

}  // namespace test
