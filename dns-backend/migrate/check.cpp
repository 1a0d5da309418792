#include "dns-backend/migrate/check.hpp"

#include <algorithm>

namespace migrate {
namespace {

constexpr std::size_t mismatches_max = 1000;
constexpr std::size_t progress_step = 1000;

using Types = std::map<dns::Name, std::set<dns::RRType>>;

std::string sentence(dns::RRset const* rrset) {
  if (rrset == nullptr || rrset->contents.empty()) {
    return "nothing";
  }
  std::string out;
  for (std::string const& content : rrset->contents) {
    out += (out.empty() ? std::to_string(rrset->ttl) + " " : "; ") + content;
  }
  return out;
}

dns::RRset const* find(std::vector<dns::OwnedRRset> const& list, dns::Name const& name, dns::RRType type) {
  auto const found = std::find_if(list.begin(), list.end(),
                                  [&](auto const& owned) { return owned.owner == name && owned.rrset.type == type; });
  return found == list.end() ? nullptr : &found->rrset;
}

bool is_hidden(dns::Name const& name, dns::Name const& apex, Types const& types) {
  for (dns::Name up = name.parent(); up.is_within(apex) && !(up == apex); up = up.parent()) {
    auto const at = types.find(up);
    if (at != types.end() && (at->second.contains(dns::type_ns) || at->second.contains(dns::type_dname))) {
      return true;
    }
  }
  auto const top = types.find(apex);
  return !(name == apex) && top != types.end() && top->second.contains(dns::type_dname);
}

bool equal(dns::RRset expected, dns::RRset answered, bool ignore_serial) {
  if (ignore_serial && expected.type == dns::type_soa && !answered.contents.empty() && !expected.contents.empty()) {
    answered.contents.front() =
        dns::with_soa_serial(answered.contents.front(), dns::soa_serial(expected.contents.front()));
  }
  return expected == answered;
}

class Check {
 public:
  Check(name_server::NameServer& server, StoredZone const& zone) : server_(server), zone_(zone) {}

  base::Result<void> ask(Question const& question) {
    dns::Name const& name = question.expected.owner;
    dns::RRType const type = question.expected.rrset.type;
    auto const reply = server_.ask(name, type);
    if (!reply) {
      return reply.error();
    }
    ++report.asked;
    dns::RRset const* const answered = find(question.referral ? reply->authority : reply->answer, name, type);
    if (answered == nullptr || !equal(question.expected.rrset, *answered, zone_.serial_edited)) {
      bool const fault = answered == nullptr && reply->rcode != 0;
      add({name, type, sentence(&question.expected.rrset),
           fault ? name_server::rcode_text(reply->rcode) : sentence(answered)});
    }
    return {};
  }

  // What PowerDNS would hand out that the store does not hold.
  void compare_transfer(std::vector<dns::OwnedRRset> const& transferred) {
    Types stored;
    for (dns::OwnedRRset const& owned : zone_.rrsets) {
      stored[owned.owner].insert(owned.rrset.type);
    }
    for (dns::OwnedRRset const& owned : transferred) {
      auto const at = stored.find(owned.owner);
      bool const known =
          at != stored.end() && (at->second.contains(owned.rrset.type) || at->second.contains(dns::type_lua) ||
                                 at->second.contains(dns::type_alias));
      if (!known && !zone_.balanced.contains(owned.owner)) {
        add({owned.owner, owned.rrset.type, "nothing", sentence(&owned.rrset)});
      }
    }
  }

  CheckReport report;

 private:
  void add(Mismatch mismatch) {
    if (report.mismatches.size() < mismatches_max) {
      report.mismatches.push_back(std::move(mismatch));
    } else {
      report.more = true;
    }
  }

  name_server::NameServer& server_;
  StoredZone const& zone_;
};

}  // namespace

std::vector<Question> questions(StoredZone const& zone) {
  Types types;
  for (dns::OwnedRRset const& owned : zone.rrsets) {
    types[owned.owner].insert(owned.rrset.type);
  }
  std::vector<Question> out;
  for (dns::OwnedRRset const& owned : zone.rrsets) {
    auto const& at = types.at(owned.owner);
    bool const cut = at.contains(dns::type_ns) && !(owned.owner == zone.apex);
    bool const computed = at.contains(dns::type_lua) || at.contains(dns::type_alias);
    bool const address = owned.rrset.type == dns::type_a || owned.rrset.type == dns::type_aaaa;
    bool const chosen = address && zone.balanced.contains(owned.owner);
    bool const at_cut = !cut || owned.rrset.type == dns::type_ns || owned.rrset.type == dns::type_ds;
    if (!computed && !chosen && at_cut && !is_hidden(owned.owner, zone.apex, types)) {
      out.push_back({owned, cut && owned.rrset.type == dns::type_ns});
    }
  }
  return out;
}

base::Result<CheckReport> check(name_server::NameServer& server, StoredZone const& zone,
                                std::function<void(std::size_t asked, std::size_t all)> const& progress) {
  Check run(server, zone);
  std::vector<Question> const list = questions(zone);
  for (Question const& question : list) {
    if (auto const asked = run.ask(question); !asked) {
      return asked.error();
    }
    if (progress && run.report.asked % progress_step == 0) {
      progress(run.report.asked, list.size());
    }
  }
  auto const transferred = server.transfer(zone.apex, {});
  if (transferred) {
    run.compare_transfer(*transferred);
  } else {
    run.report.transfer = transferred.error().what();
  }
  return std::move(run.report);
}

}  // namespace migrate
