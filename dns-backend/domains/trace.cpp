#include "dns-backend/domains/trace.hpp"

#include <algorithm>

namespace domains {
namespace {

constexpr std::size_t hops_max = 8;

std::string quoted(dns::Name const& name) {
  return "'" + name.text().substr(0, name.text().size() - 1) + "'";
}

std::optional<dns::Name> cname_at(LookupAnswer const& answer, dns::Name const& name) {
  for (dns::OwnedRRset const& one : answer.answer) {
    if (one.owner == name && one.rrset.type == dns::type_cname && !one.rrset.contents.empty()) {
      if (auto const target = dns::Name::parse(one.rrset.contents.front())) {
        return *target;
      }
    }
  }
  return std::nullopt;
}

Verdict lookup_failed(dns::Name const& name, LookupAnswer const& answer) {
  return {"lookup_failed", quoted(name) + " cannot be looked up: " + answer.error, "it is tried again"};
}

}  // namespace

Trace trace(dns::Name const& name, Lookup const& lookup, std::vector<dns::Name> const& ends) {
  Trace chain{{name}, {}};
  for (;;) {
    dns::Name const at = chain.names.back();
    if (std::ranges::find(ends, at) != ends.end()) {
      return chain;
    }
    LookupAnswer const answer = lookup(at, dns::type_cname);
    if (answer.failed) {
      chain.trouble = lookup_failed(at, answer);
      return chain;
    }
    auto const next = cname_at(answer, at);
    if (!next) {
      return chain;
    }
    if (std::ranges::find(chain.names, *next) != chain.names.end()) {
      chain.trouble =
          Verdict{"cname_loop", "the CNAME at " + quoted(at) + " leads back to " + quoted(*next), "break the circle"};
      return chain;
    }
    if (chain.names.size() > hops_max) {
      chain.trouble =
          Verdict{"cname_too_long", quoted(name) + " leads through more than 8 CNAMEs", "point it there directly"};
      return chain;
    }
    chain.names.push_back(*next);
  }
}

}  // namespace domains
