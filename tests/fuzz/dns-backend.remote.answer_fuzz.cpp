// A line from PowerDNS is refused with a reason or becomes a request that a small world can answer; the reply is one line.
#include "dns-backend/remote/answer.hpp"

#include <boost/json.hpp>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const line(data, data + size);
  auto const request = remote::parse_request(line);
  remote::QuestionReader reader;
  if (!request) {
    ASSERT(!reader.read(line));
    ASSERT(!reader.read_metadata(line));
    ASSERT(!request.error().detail.empty());
    return 0;
  }
  if (remote::is_write(request->method)) {
    return 0;
  }
  store::Zone zone;
  zone.id = 1;
  zone.apex = dns::Name::parse("example.org").value();
  auto entry = std::make_shared<store::Entry>();
  entry->rrsets.push_back({dns::type_soa, 60, {"a. b. 1 2 3 4 5"}});
  entry->key = zone.apex.key();
  zone.entries = zone.entries.insert(entry);
  store::Snapshot snapshot;
  auto const shared = std::make_shared<store::Zone const>(zone);
  snapshot.zones = snapshot.zones.insert(zone.apex.key(), shared);
  snapshot.zones_by_id = snapshot.zones_by_id.insert(1, shared);
  pool::HealthTable const health;
  std::string out;
  ASSERT(remote::answer(*request, {snapshot, health, false, nullptr}, out));
  ASSERT(out.starts_with("{\"result\":") && out.find('\n') == out.size() - 1);
  // The quick way may leave a line to the thorough one, but never says anything else.
  std::string quick;
  if (remote::answer_at_once(line, {snapshot, health, false, nullptr}, quick)) {
    ASSERT(boost::json::parse(quick) == boost::json::parse(out));
  }
  return 0;
}
