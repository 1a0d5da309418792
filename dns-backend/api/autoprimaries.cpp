// The primaries whose NOTIFY makes a zone a secondary here.
#include "dns-backend/api/body.hpp"
#include "dns-backend/api/routes.hpp"

#include <boost/json.hpp>

namespace api {
namespace {

constexpr About about_ip{"ip", "an IP address and the name of a name server"};

namespace json = boost::json;
using Answer = net::Task<net::HttpResponse>;

Answer list_autoprimaries(Dependencies const& api, net::HttpRequest) {
  json::array list;
  for (store::Autoprimary const& one : api.store.published().copy()->autoprimaries) {
    json::object row;
    row["ip"] = one.ip;
    row["nameserver"] = one.nameserver;
    row["account"] = one.account;
    list.push_back(std::move(row));
  }
  json::object body;
  body["autoprimaries"] = std::move(list);
  co_return reply(200, body);
}

Answer put_autoprimary(Dependencies const& api, net::HttpRequest request) {
  Body reader(request.body.empty() ? std::string("{}") : request.body);
  store::Autoprimary autoprimary{request.parameters.at("ip"), request.parameters.at("nameserver"),
                                 reader.text("account", "")};
  reader.finish();
  if (!reader.problems().empty()) {
    co_return refusal(reader.problems());
  }
  base::Result<store::Revision> const done = co_await api.store.set_autoprimary(std::move(autoprimary));
  co_return done ? reply_nothing() : refusal(done.error(), about_ip);
}

Answer delete_autoprimary(Dependencies const& api, net::HttpRequest request) {
  std::string ip = request.parameters.at("ip");
  std::string nameserver = request.parameters.at("nameserver");
  base::Result<store::Revision> const done =
      co_await api.store.remove_autoprimary(std::move(ip), std::move(nameserver));
  co_return done ? reply_nothing() : refusal(done.error(), about_ip);
}

}  // namespace

void add_autoprimary_routes(net::Router& router, Dependencies const& dependencies) {
  router.add("GET", "/v1/autoprimaries", administrators(dependencies, list_autoprimaries));
  router.add("PUT", "/v1/autoprimaries/{ip}/{nameserver}", writes(dependencies, put_autoprimary));
  router.add("DELETE", "/v1/autoprimaries/{ip}/{nameserver}", writes(dependencies, delete_autoprimary));
}

}  // namespace api
