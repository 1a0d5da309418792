#include "acme/explain/explain.hpp"

#include "acme/gate/caa.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace acme {
namespace {

std::string quoted(std::string const& text) {
  return "'" + text + "'";
}

std::string joined(std::vector<std::string> const& list) {
  std::string out;
  for (std::string const& one : list) {
    out += (out.empty() ? "" : ", ") + one;
  }
  return out;
}

class Collector {
 public:
  void add(std::string code, std::string what, std::string fix) {
    bool const known =
        std::ranges::any_of(faults_, [&](Fault const& one) { return one.code == code && one.what == what; });
    if (!known) {
      faults_.push_back({std::move(code), std::move(what), std::move(fix)});
    }
  }
  [[nodiscard]] bool has(std::string const& code) const {
    return std::ranges::find(faults_, code, &Fault::code) != faults_.end();
  }
  std::vector<Fault> take() { return std::move(faults_); }

 private:
  std::vector<Fault> faults_;
};

void look_at_certificate(Seen const& seen, Collector& faults) {
  SubjectStatus const& status = seen.status;
  if (!seen.issuer.leads) {
    faults.add("not_the_issuer",
               "this Navigator issues nothing now; " + quoted(seen.issuer.holder) + " holds the lease",
               "ask the one that does");
  }
  if (!seen.key_problem.empty()) {
    faults.add(
        "key_unreadable", "the certificate's key does not open: " + seen.key_problem,
        "navigator vault status; put the key back from a backup, or order anew: navigator cert order " + status.name);
  }
  bool const alone = status.source == "upload" && !status.fallback;
  if (alone && (status.alarm || status.state == "expired")) {
    faults.add("upload_expires",
               "the tenant's own certificate " +
                   std::string(status.state == "expired" ? "has expired" : "is about to expire") +
                   " and none of ours may take its place",
               "upload its successor, or upload with fallback_to_acme");
  } else if (status.state == "expired") {
    faults.add("expired", "the certificate has expired", "see the faults below; navigator cert order " + status.name);
  } else if (status.missing) {
    faults.add("first_one_missing", "the name has been without its first certificate for too long",
               "see the faults below");
  } else if (status.alarm) {
    faults.add("expires_soon", "a fifth of the certificate's life or less is left", "see the faults below");
  }
  if (status.revoked) {
    faults.add("revoked", "the certificate is revoked", "its replacement is ordered; see the faults below");
  }
}

void look_at_chain(Seen const& seen, Collector& faults) {
  ChainSight const& chain = seen.chain;
  std::string const& wanted = seen.status.challenge_name;
  std::string const cname = chain.names.front() + ". CNAME " + wanted + ".";
  if (!chain.trouble.empty()) {
    bool const lookup = chain.trouble == "lookup_failed";
    faults.add(lookup ? "challenge_lookup_failed" : chain.trouble, chain.reason,
               lookup           ? "see the zone's name servers and tenants.resolver"
               : wanted.empty() ? "remove the CNAMEs there"
                                : "let it be " + cname);
  } else if (!wanted.empty() && chain.names.size() == 1 && chain.names.front() != wanted) {
    faults.add("challenge_missing", "there is no CNAME at " + quoted(chain.names.front()), "its owner sets " + cname);
  } else if (!wanted.empty() && chain.names.back() != wanted) {
    faults.add("challenge_elsewhere",
               "the CNAME at " + quoted(chain.names.front()) + " leads to " + quoted(chain.names.back()),
               "its owner sets " + cname);
  }
}

void look_at_caa(Seen const& seen, Collector& faults) {
  if (!seen.caa_failure.empty()) {
    faults.add("caa_lookup_failed", seen.caa_failure,
               "a CA cannot look them up either: see the zone's name servers and tenants.resolver");
  }
  CaaLookup const lookup = [&seen](std::string const& name) {
    auto const found = seen.caa.find(name);
    return found == seen.caa.end() ? std::vector<std::string>() : found->second;
  };
  for (AuthorityStatus const& authority : seen.authorities) {
    CaaQuestion const question{authority.caa_identities, authority.account_url, authority.method};
    for (std::string const& name : seen.status.names) {
      std::string const why = caa_refusal(name, question, lookup);
      if (why.empty()) {
        continue;
      }
      bool const here = seen.caa.contains(seen.status.name);
      faults.add(here ? "caa_forbids" : "caa_above_forbids", why + ": not " + authority.directory_url,
                 "add a CAA record that names " + quoted(authority.caa_identities.front()) + " at " +
                     quoted(here ? seen.status.name : seen.caa.begin()->first) +
                     (here ? "" : ", or CAA records of its own at " + quoted(seen.status.name)));
      break;
    }
  }
}

void look_at_site(SiteSight const& site, Collector& faults) {
  std::string const named = "site " + quoted(site.site);
  if (!site.in_service) {
    faults.add("site_out_of_service", named + " is neither heard of nor answering: nobody is led there",
               "bring it back, or take it out of `sites`");
  } else if (!site.udp.empty() && !site.tcp.empty()) {
    faults.add("site_down", named + " does not answer: " + site.udp, "see PowerDNS and Navigator there");
  } else if (!site.udp.empty() || !site.tcp.empty()) {
    bool const tcp = !site.tcp.empty();
    faults.add(tcp ? "site_without_tcp" : "site_without_udp",
               named + " does not answer over " + (tcp ? "TCP: " + site.tcp : "UDP: " + site.udp),
               "CAs ask both ways: see the packet filter there");
  } else if (site.behind > 0) {
    faults.add("site_behind", named + " lacks " + std::to_string(site.behind) + " revisions",
               "see the replica's link to the primary");
  }
  for (auto const& [value, says] : site.lacking) {
    if (site.in_service && site.udp.empty()) {
      faults.add("site_without_value", named + " does not answer the challenge value " + value + ": " + says,
                 "see PowerDNS's caches there (docs/powerdns.md) and the replica's revision");
    }
  }
}

void look_at_authority(AuthorityStatus const& one, Collector& faults) {
  if (!one.action_required.empty()) {
    faults.add("account_needs_a_person", one.directory_url + " wants the account's owner to act: " + one.last_error,
               "read " + one.action_required + ", then navigator acme account agree");
  } else if (one.state == "blocked") {
    faults.add("account_key_unreadable",
               "the account's key at " + one.directory_url + " does not open: " + one.last_error,
               "put it back from a backup; navigator vault status");
  } else if (one.state == "paused") {
    faults.add("account_key_changes", "the account's key at " + one.directory_url + " is being changed",
               "wait for navigator acme account rekey to end");
  }
}

// "code: reason (hint)", as a look at the domain was written down.
bool add_verdict(std::string const& detail, Collector& faults) {
  auto const colon = detail.find(": ");
  bool const worded = colon != std::string::npos && std::ranges::all_of(detail.substr(0, colon), [](unsigned char c) {
                        return std::islower(c) != 0 || c == '_';
                      });
  if (!worded) {
    return false;
  }
  auto const open = detail.rfind(" (");
  bool const hinted = open != std::string::npos && detail.ends_with(')');
  std::string const code = detail.substr(0, colon);
  if (!faults.has(code)) {
    faults.add(code, detail.substr(colon + 2, (hinted ? open : detail.size()) - colon - 2),
               hinted ? detail.substr(open + 2, detail.size() - open - 3) : "it is tried again");
  }
  return true;
}

void look_at_answer(vault::Event const& event, Collector& faults) {
  std::string const said = event.directory_url + ": " + event.detail;
  if (event.outcome == "validation") {
    faults.add(
        "ca_saw_no_proof", said,
        "the CA looks from elsewhere: is every name server of the zone a site here, and reachable from outside?");
  } else if (event.outcome == "rate limited") {
    faults.add("ca_limits", said, "it is tried again when the CA allows it; see public_suffixes and limits");
  } else if (event.outcome == "transient") {
    faults.add("ca_away", said, "it is tried again; see the way to the CA and ca_bundle");
  } else if (event.outcome == "account") {
    faults.add("account_refused", said, "see the account at the CA; navigator acme account list");
  } else if (event.outcome == "protocol") {
    faults.add("ca_misunderstood", said, "tell us: the CA and Navigator do not understand each other");
  } else if (event.outcome == "policy") {
    bool const ours = add_verdict(event.detail, faults) || event.detail.starts_with("the CAA RRset");
    if (!ours) {
      faults.add("ca_refuses", said, "another CA may take the name: acme.fallbacks");
    }
  } else if (event.outcome == "deferred" && !add_verdict(event.detail, faults)) {
    faults.add("deferred", event.detail, "it is tried again; the CA was not asked");
  }
}

// What each CA said last since there was a certificate.
void look_at_answers(Seen const& seen, Collector& faults) {
  std::set<std::string> heard;
  for (vault::Event const& event : seen.events) {
    if (event.outcome == "issued") {
      break;
    }
    if (heard.insert(event.directory_url).second) {
      look_at_answer(event, faults);
    }
  }
}

void look_at_hindrances(Seen const& seen, Collector& faults) {
  for (auto const& [authority, one] : seen.hindrances) {
    if (one.what.starts_with("limit: ")) {
      faults.add("limit_reached", "orders at " + authority + " wait for its limit of " + one.what.substr(7),
                 "it begins by itself; an override at the CA, another CA (acme.fallbacks), or public_suffixes");
    } else if (one.what == "resting") {
      faults.add("ca_rests", authority + " failed several times in a row and is left alone for a while",
                 "see navigator acme account list; one order tries it again");
    }
  }
}

}  // namespace

std::vector<Fault> faults_of(Seen const& seen) {
  Collector faults;
  look_at_certificate(seen, faults);
  look_at_chain(seen, faults);
  look_at_caa(seen, faults);
  for (SiteSight const& site : seen.sites) {
    look_at_site(site, faults);
  }
  for (AuthorityStatus const& one : seen.authorities) {
    look_at_authority(one, faults);
  }
  look_at_answers(seen, faults);
  look_at_hindrances(seen, faults);
  if (!seen.edges_without.empty()) {
    faults.add("edge_without_it", "not acknowledged by the edges " + joined(seen.edges_without),
               "see navigator-edge's log there; DNS leads visitors to edges that have it, once one has");
  }
  return faults.take();
}

Fault suspended(std::string const& tenant) {
  return {"tenant_suspended", "the tenant " + quoted(tenant) + " is suspended: what it has is kept and not renewed",
          "navigator tenant resume " + tenant};
}

Fault unverified(std::string const& tenant, std::string const& domain, std::string const& reason) {
  return {"domain_unverified",
          quoted(domain) + " is claimed by " + quoted(tenant) + " and not verified yet" +
              (reason.empty() ? "" : ": " + reason),
          "set the records of navigator domain claim " + tenant + " " + domain + ", then navigator domain verify"};
}

}  // namespace acme
