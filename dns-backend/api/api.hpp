// The HTTP interface of Navigator: zones, tenants, pools, health and status as JSON. README.md lists the routes.
//
// Who may ask: /healthz and /metrics everybody who can connect; the rest administrators, which are unix peers (the
// socket's mode decides who connects), TLS peers whose certificate name is in `admins`, and administrators' tokens. On
// a replica, writes are passed on to the primary after that check, under the replica's own certificate: replicas must
// be among the primary's admins.
//
// Bodies made by people answer with *all* problems at once: 422, RFC 9457, `errors`.
//
// Threads: everything runs on the control loop.
#pragma once

#include "base/http/http.hpp"
#include "base/http_client/http_client.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/monitor/monitor.hpp"
#include "dns-backend/overrides/overrides.hpp"
#include "dns-backend/store/store.hpp"
#include "dns-backend/transitions/transition_log.hpp"

#include <boost/json/fwd.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace api {

struct Dependencies {
  store::Store& store;
  process::Metrics& metrics;
  std::set<std::string> admins = {};   // certificate names
  std::string node = {};               // this machine's name; may be empty
  std::string default_zone = {};       // of a tenant that names none; may be empty
  net::HttpClient* primary = nullptr;  // set on a replica, with its certificate
  std::string primary_url = {};        // "https://10.200.0.1:18010"
  // Health of the endpoints, from the monitor; may be empty.
  std::function<std::vector<monitor::EndpointStatus>()> endpoints = {};
  // How the sites voted on an endpoint, as JSON; null where they do not. May be empty.
  std::function<boost::json::value(std::string const& endpoint)> votes = {};
  // What the other sites' last checks of it say, asked of them now: a list of {site, checks} or {site, error}. May be
  // empty.
  std::function<net::Task<boost::json::value>(std::string endpoint)> elsewhere = {};
  // An endpoint's report was taken; the other sites want it too. May be empty.
  std::function<void(std::string const& endpoint, monitor::Report const& report)> reported = {};
  monitor::Monitor* monitor = nullptr;                // takes the reports of endpoints
  overrides::Overrides* overrides = nullptr;          // nullptr: nobody obeys any
  transitions::TransitionLog* transitions = nullptr;  // of this machine; nullptr: none are kept
  // Further sections of /v1/status by name, for instance "followers", "replica", "powerdns".
  std::map<std::string, std::function<boost::json::value()>> sections = {};
  // What is added to /metrics, as Prometheus text, made when it is asked for. May be empty.
  std::function<std::string()> more_metrics = {};
  // Whether the bearer token of this id is an administrator's (dns-backend/api/gate); empty: none is.
  std::function<bool(std::string const& token)> admin_token = {};
  // Why this process is not healthy now, empty when it is; decides /healthz. May be empty.
  std::function<std::string()> trouble = {};
};

// `dependencies` and all it refers to must outlive the router.
void add_routes(net::Router& router, Dependencies const& dependencies);

// {at_ms, success, reason, warning, elapsed_us} of each, the newest first.
boost::json::array json_of(std::vector<monitor::CheckRecord> const& checks);

}  // namespace api
