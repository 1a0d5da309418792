// What the routes of PowerDNS's API share: who may ask, errors as PowerDNS words them, zone ids. For
// dns-backend/powerdns.
//
// Threads: the control loop; the rest are pure functions.
#pragma once

#include "dns-backend/powerdns/zones/dependencies.hpp"

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace powerdns {

// What a request is refused with. PowerDNS says {"error": text} for 422, and a bare phrase for 400, 404, 409 and 500.
struct Refusal {
  Refusal() = default;
  Refusal(int http_status, std::string sentence) : status(http_status), text(std::move(sentence)) {}
  int status = 422;
  std::string text;
};
// Boost's result wants to know what value() throws; nothing here calls it on a refusal.
[[noreturn]] void throw_exception_from_error(Refusal const& refusal, boost::source_location const& where);
template <class T>
using Answer = boost::system::result<T, Refusal>;

using Reply = net::Task<net::HttpResponse>;
using Route = std::function<Reply(Dependencies const&, net::HttpRequest)>;

net::Handler reads(Dependencies const& dependencies, Route route);
net::Handler writes(Dependencies const& dependencies, Route route);

net::HttpResponse json_reply(int status, boost::json::value const& body);
net::HttpResponse nothing();  // 204
net::HttpResponse refuse(Refusal const& refusal);
net::HttpResponse refuse(base::Failure const& failure);  // of the store

// "a.test." of "a.test", "0/25.2.0.192.in-addr.arpa." of "0=2F25.2.0.192.in-addr.arpa.".
Answer<dns::Name> name_of_id(std::string_view id);
std::string id_of_name(dns::Name const& name);
// A name as bodies and queries must write it: with its final dot.
Answer<dns::Name> canonical_name(std::string_view text);

// The zone that {zone} names. 404 when there is none.
Answer<store::ZonePtr> zone_of(Dependencies const& dependencies, net::HttpRequest const& request);

// The body as an object; a list reads as an empty one, as in PowerDNS. 400 when it is no JSON.
Answer<boost::json::object> body_of(net::HttpRequest const& request);
// "Key 'ttl' not present or not a String" and its like.
Answer<std::string> required_text(boost::json::object const& body, std::string_view key);
Answer<bool> optional_bool(boost::json::object const& body, std::string_view key, bool fallback);

std::int64_t now_of(Dependencies const& dependencies);
bool same_word(std::string_view a, std::string_view b);  // but for ASCII case

// The list of zones, one zone, and what changes it. `dependencies` must outlive the router.
void add_zone_routes(net::Router& router, Dependencies const& dependencies);

}  // namespace powerdns
