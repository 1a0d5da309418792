#include "dns-backend/domains/verify.hpp"

#include "dns-backend/domains/trace.hpp"

#include <algorithm>
#include <optional>

namespace domains {
namespace {

std::string plain(dns::Name const& name) {
  return name.text().substr(0, name.text().size() - 1);
}

std::string quoted(dns::Name const& name) {
  return "'" + plain(name) + "'";
}

Verdict lookup_failed(dns::Name const& name, LookupAnswer const& answer) {
  return {"lookup_failed", quoted(name) + " cannot be looked up: " + answer.error, "it is tried again"};
}

std::optional<Verdict> check_proof(Wanted const& wanted, Lookup const& lookup) {
  auto const name = wanted.domain.child(proof_label);
  if (!name) {
    return Verdict{"name_too_long", "the name is too long for " + std::string(proof_label), "a shorter name"};
  }
  LookupAnswer const answer = lookup(*name, dns::type_txt);
  if (answer.failed) {
    return lookup_failed(*name, answer);
  }
  std::string const value = "\"" + wanted.proof + "\"";
  bool any = false;
  for (dns::OwnedRRset const& one : answer.answer) {
    any = any || one.rrset.type == dns::type_txt;
    if (one.rrset.type == dns::type_txt && std::ranges::find(one.rrset.contents, value) != one.rrset.contents.end()) {
      return std::nullopt;
    }
  }
  std::string const hint = plain(*name) + ". TXT " + value;
  return any ? Verdict{"proof_wrong", "the TXT record at " + quoted(*name) + " has another value", hint}
             : Verdict{"proof_missing", "there is no TXT record at " + quoted(*name), hint};
}

// An apex can have no CNAME (RFC 1034 3.6.2): then its addresses, however they got there, must be the tenant's.
Verdict check_addresses(Wanted const& wanted, dns::Name const& at, Lookup const& lookup) {
  std::vector<std::string> found;
  for (dns::RRType const type : {dns::type_a, dns::type_aaaa}) {
    LookupAnswer const answer = lookup(at, type);
    if (answer.failed) {
      return lookup_failed(at, answer);
    }
    for (dns::OwnedRRset const& one : answer.answer) {
      if (one.rrset.type == type) {
        found.insert(found.end(), one.rrset.contents.begin(), one.rrset.contents.end());
      }
    }
  }
  std::string const hint =
      plain(wanted.domain) + ". CNAME " + wanted.targets.front().text() + ", or ALIAS where a CNAME cannot be";
  if (found.empty()) {
    return at == wanted.domain ? Verdict{"cname_missing", quoted(at) + " has neither a CNAME nor addresses", hint}
                               : Verdict{"cname_elsewhere",
                                         quoted(wanted.domain) + " leads to " + quoted(at) + ", which is not " +
                                             quoted(wanted.targets.front()),
                                         hint};
  }
  for (std::string const& address : found) {
    if (!wanted.addresses.contains(address)) {
      return at == wanted.domain ? Verdict{"address_elsewhere",
                                           quoted(at) + " has the address " + address + ", which is none of " +
                                               quoted(wanted.targets.front()),
                                           hint}
                                 : Verdict{"cname_elsewhere",
                                           quoted(wanted.domain) + " leads to " + quoted(at) + ", which is not " +
                                               quoted(wanted.targets.front()),
                                           hint};
    }
  }
  return {"ok", {}, {}};
}

Verdict check_leads_here(Wanted const& wanted, Lookup const& lookup, std::vector<dns::Name>& through) {
  // Of a name that is served here only a claim has to be told from another's.
  if (wanted.served_here && !wanted.needs_proof) {
    return {"ok", {}, {}};
  }
  Trace const chain = trace(wanted.domain, lookup, wanted.targets);
  if (chain.trouble && !wanted.served_here) {
    return *chain.trouble;
  }
  through.assign(chain.names.begin() + 1, chain.names.end());
  if (wanted.served_here) {
    return {"ok", {}, {}};
  }
  dns::Name const& end = chain.names.back();
  if (std::ranges::find(wanted.targets, end) != wanted.targets.end()) {
    return {"ok", {}, {}};
  }
  return check_addresses(wanted, end, lookup);
}

// `label` may be of several labels: "_account._acme-challenge".
Verdict check_challenge(Wanted const& wanted, std::string const& label, Lookup const& lookup) {
  auto const name = dns::Name::parse(label + "." + wanted.domain.text());
  if (!name) {
    return {"name_too_long", "the name is too long for " + label, "a shorter name"};
  }
  std::string const hint = plain(*name) + ". CNAME " + wanted.challenge_target.text();
  Trace const chain = trace(*name, lookup, {wanted.challenge_target});
  if (chain.trouble) {
    return *chain.trouble;
  }
  if (chain.names.back() == wanted.challenge_target) {
    return {"ok", {}, {}};
  }
  if (chain.names.size() == 1) {
    return {"challenge_missing", "there is no CNAME at " + quoted(*name), hint};
  }
  return {"challenge_elsewhere", "the CNAME at " + quoted(*name) + " leads to " + quoted(chain.names.back()), hint};
}

// The first that is delegated will do: CAs that are asked in other ways say what they miss when they are asked.
Verdict check_challenges(Wanted const& wanted, Lookup const& lookup) {
  Verdict first{"ok", {}, {}};
  for (std::string const& label : wanted.challenge_labels) {
    Verdict verdict = wanted.challenge_target.is_root() ? first : check_challenge(wanted, label, lookup);
    if (verdict.ok()) {
      return verdict;
    }
    first = first.ok() ? std::move(verdict) : first;
  }
  return first;
}

}  // namespace

Verdict judge(Wanted const& wanted, Lookup const& lookup) {
  if (wanted.needs_proof) {
    if (auto const trouble = check_proof(wanted, lookup)) {
      return *trouble;
    }
  }
  std::vector<dns::Name> through;
  if (Verdict const verdict = check_leads_here(wanted, lookup, through); !verdict.ok()) {
    return verdict;
  }
  Verdict verdict = check_challenges(wanted, lookup);
  verdict.through = std::move(through);
  return verdict;
}

}  // namespace domains
