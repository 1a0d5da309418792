// What the route files of this module share: the wrappers that say who may ask and where a write happens, and the way
// from a Failure to a status. Private to this module and dns-backend/api/steering, dns-backend/api/health
// and dns-backend/api/tenants.
//
// Threads: the control loop.
#pragma once

#include "base/pages/pages.hpp"
#include "dns-backend/api/api.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace api {

using Route = std::function<net::Task<net::HttpResponse>(Dependencies const&, net::HttpRequest)>;

// Administrators only; others get 403.
net::Handler administrators(Dependencies const& dependencies, Route route);
// As above, and on a replica the request goes to the primary (502 with the reason when that cannot be asked).
net::Handler writes(Dependencies const& dependencies, Route route);

// not_found 404, exists 409, refused and quota 422, changed 412, read_only 503, too_many 429, anything else 500. A
// quota is a problem of the plan, and what changed one of If-Match: their "errors" say so.
net::HttpResponse refusal(base::Failure const& failure);
// What a refusal is about: a member, parameter or header, and how to mend it.
struct About {
  char const* field;
  char const* hint;
};
inline constexpr About about_zone{"zone", "a zone of the store (navigator zone list), and what its records allow"};
// As above; what the caller can mend has "errors" with `about`.
net::HttpResponse refusal(base::Failure const& failure, About about);
// The same with Retry-After when there is a time to wait.
net::HttpResponse refusal(base::Failure const& failure, std::int64_t wait_ms);
// 422 with every problem in "errors".
net::HttpResponse refusal(base::Problems const& problems);

// 200, 201 or whatever fits, with a body.
net::HttpResponse reply(int status, boost::json::value const& body);
net::HttpResponse reply_nothing();  // 204
net::HttpResponse no_such_zone(std::string const& zone);

// Items of a page of administrators' lists, where no limit is asked for.
inline constexpr std::size_t lists_default = 1000;

// A request that carries a whole zone: 256 MiB, ten minutes to be done.
inline constexpr net::RouteLimits whole_zone_limits{256U << 20U, std::chrono::minutes(10)};

// A master file read on the store's thread: a million names take seconds, which would delay every check on this loop.
// An empty text is an empty list.
net::Task<boost::system::result<std::vector<dns::OwnedRRset>, base::Problems>> parse_content(Dependencies const& api,
                                                                                             std::string text,
                                                                                             dns::Name apex);

void add_zone_setting_routes(net::Router& router, Dependencies const& dependencies);
void add_zone_routes(net::Router& router, Dependencies const& dependencies);
void add_autoprimary_routes(net::Router& router, Dependencies const& dependencies);
void add_rrset_routes(net::Router& router, Dependencies const& dependencies);
void add_status_routes(net::Router& router, Dependencies const& dependencies);

}  // namespace api
