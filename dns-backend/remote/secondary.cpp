#include "dns-backend/remote/secondary.hpp"

#include "dns-backend/protocol/reply.hpp"

#include <algorithm>

namespace remote {
namespace {

dns::RRset const* soa_of(store::Zone const& zone) {
  store::EntryPtr const apex = zone.find(zone.apex);
  if (!apex) {
    return nullptr;
  }
  auto const found = std::find_if(apex->rrsets.begin(), apex->rrsets.end(),
                                  [](auto const& rrset) { return rrset.type == dns::type_soa; });
  return found == apex->rrsets.end() ? nullptr : &*found;
}

bool same_server(std::string const& stored, std::string const& given) {
  base::Result<dns::Name> const name = dns::Name::parse(given);
  return name && name->text() == stored;
}

}  // namespace

bool is_due(store::Zone const& zone, std::int64_t now_s) {
  if (zone.kind != "slave" || zone.masters.empty()) {
    return false;
  }
  dns::RRset const* const soa = soa_of(zone);
  return soa == nullptr || zone.last_check_s + dns::soa_refresh(soa->contents.front()) < now_s;
}

void answer_unfresh(store::Snapshot const& snapshot, std::int64_t now_s, std::string& out) {
  RowList list(out);
  snapshot.zones.for_each([&](std::string const&, store::ZonePtr const& zone) {
    if (is_due(*zone, now_s)) {
      list.add(*zone, true);
    }
  });
  list.finish();
}

void answer_autoprimary(FromAutoprimary const& asked, store::Snapshot const& snapshot, std::string& out) {
  for (store::Autoprimary const& known : snapshot.autoprimaries) {
    bool const serves = known.ip == asked.ip &&
                        std::any_of(asked.nameservers.begin(), asked.nameservers.end(),
                                    [&](std::string const& server) { return same_server(known.nameserver, server); });
    if (serves && asked.zone) {
      out += "{\"result\":{\"account\":";
      append_string(out, known.account);
      out += ",\"nameserver\":";
      append_string(out, known.nameserver);
      out += "}}\n";
      return;
    }
  }
  reply_bool(out, false);
}

std::vector<std::string> masters_of(CreateSecondary const& request, store::Snapshot const& snapshot) {
  std::vector<std::string> masters{request.ip};
  for (store::Autoprimary const& known : snapshot.autoprimaries) {
    if (known.account == request.account && known.ip != request.ip &&
        same_server(known.nameserver, request.nameserver)) {
      masters.push_back(known.ip);
    }
  }
  return masters;
}

}  // namespace remote
