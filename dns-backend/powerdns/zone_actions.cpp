// What PowerDNS does with a zone beside storing it: export, notify, transfer, rectify.
#include "dns-backend/powerdns/objects.hpp"

#include "dns-backend/api/access.hpp"
#include "dns-backend/powerdns/zones/routes.hpp"
#include "dns-backend/zone_file/zone_file.hpp"

#include <boost/json.hpp>

namespace powerdns {
namespace {

namespace json = boost::json;

Reply export_zone(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  std::string text = dns::to_zone_file((*zone)->apex, api::content_of(**zone));
  text.erase(0, text.find('\n') + 1);  // every name is absolute: no $ORIGIN
  if (request.headers.get("Accept") == "application/json") {
    co_return json_reply(200, json::object{{"zone", text}});
  }
  net::HttpResponse response = net::HttpResponse::text(200, text + "\n");
  response.headers.set("Content-Type", "text/plain; charset=us-ascii");
  co_return response;
}

// PowerDNS's answer to a command of its control socket.
net::Task<Answer<std::string>> command(Dependencies const& dependencies, std::string words) {
  if (!dependencies.control) {
    co_return Refusal{422, "no pdns_server is named in powerdns.control of the settings, so none can be told"};
  }
  auto const answer = co_await dependencies.control(std::move(words));
  if (!answer) {
    co_return Refusal{422, answer.error().what()};
  }
  co_return *answer;
}

Reply notify(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  auto const answer = co_await command(dependencies, "NOTIFY " + (*zone)->apex.text());
  // "Added to queue", or why not. Clients (lego) send this after each change, whatever the kind of the zone; a native
  // zone has nobody who waits for it, so there it is no mistake when pdns_server sends none.
  bool const queued = answer && answer->find("queue") != std::string::npos;
  if (queued || (*zone)->kind == "native") {
    co_return json_reply(200, json::object{{"result", "Notification queued"}});
  }
  co_return refuse(answer ? Refusal{422, *answer} : answer.error());
}

Reply axfr_retrieve(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  std::string name = (*zone)->apex.text();
  if ((*zone)->masters.empty() || (*zone)->kind != "slave") {
    co_return refuse(Refusal{422, "Domain '" + name + "' is not a slave domain (or has no master defined)"});
  }
  auto const answer = co_await command(dependencies, "RETRIEVE " + name);
  if (!answer) {
    co_return refuse(answer.error());
  }
  bool const added = answer->find("Added retrieval") != std::string::npos;
  std::string const sentence = "Added retrieval request for '" + name + "' from master " + (*zone)->masters.front();
  co_return added ? json_reply(200, json::object{{"result", sentence}}) : refuse(Refusal{422, *answer});
}

// Navigator derives order, auth and empty non-terminals itself on each change: there is nothing to mend.
Reply rectify(Dependencies const& dependencies, net::HttpRequest request) {
  auto const zone = zone_of(dependencies, request);
  if (!zone) {
    co_return refuse(zone.error());
  }
  if ((*zone)->entries.empty()) {
    std::string const name = (*zone)->apex.text();
    co_return refuse(Refusal{
        422, "Failed to rectify '" + name + "' No SOA known for '" + name + "', is such a zone in the database?"});
  }
  co_return json_reply(200, json::object{{"result", "Rectified"}});
}

}  // namespace

void add_zone_action_routes(net::Router& router, Dependencies const& dependencies) {
  std::string const zone = "/api/v1/servers/localhost/zones/{zone}";
  router.add("GET", zone + "/export", reads(dependencies, export_zone));
  router.add("PUT", zone + "/notify", reads(dependencies, notify));  // of this machine's PowerDNS, also on a replica
  router.add("PUT", zone + "/axfr-retrieve", writes(dependencies, axfr_retrieve));
  router.add("PUT", zone + "/rectify", reads(dependencies, rectify));
}

}  // namespace powerdns
