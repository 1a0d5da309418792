// The scripted CA as a program, for tests of the real daemon: TLS on loopback, and a DNS that it asks itself before it
// holds a name to be proved, CAA records included.
//
//   scripted_ca PORT CERTIFICATE KEY DNS-PORT [PUBLIC-PORT]
//
// The public port is a proxy's, where its clients find it. PUT /control/knobs sets what the JSON object names (below),
// GET /control/counters says what was asked. It tells its directory on standard output once it listens.
#include "base/net/task.hpp"
#include "dns-backend/name_server/name_server.hpp"
#include "tests/support/scripted_acme.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <cstdio>

namespace {

namespace json = boost::json;

// As a CA's resolver would: the authoritative server's own answer, CNAMEs within it followed.
std::vector<std::string> ask(std::uint16_t port, std::string const& name, dns::RRType type) {
  name_server::NameServer server("127.0.0.1", port);
  auto const parsed = dns::Name::parse(name);
  auto const reply = parsed ? server.ask(*parsed, type) : base::Result<name_server::Reply>(parsed.error());
  std::vector<std::string> contents;
  if (reply) {
    for (dns::OwnedRRset const& one : reply->answer) {
      if (one.rrset.type == type) {
        contents.insert(contents.end(), one.rrset.contents.begin(), one.rrset.contents.end());
      }
    }
  }
  return contents;
}

test::ScriptedLimits::Limit limit_of(json::value const& value) {
  return {static_cast<int>(value.at("count").as_int64()), std::chrono::milliseconds(value.at("per_ms").as_int64())};
}

void set_knobs(test::ScriptedKnobs& knobs, json::object const& wanted, std::uint16_t dns_port) {
  for (auto const& [key, value] : wanted) {
    if (key == "caa_identity") {
      knobs.caa_identity = std::string(value.as_string());
    } else if (key == "caa") {
      knobs.caa = value.as_bool() ? [dns_port](std::string const& name) { return ask(dns_port, name, dns::type_caa); }
                                  : test::CaaAnswers();
    } else if (key == "processing") {
      knobs.processing = static_cast<int>(value.as_int64());
    } else if (key == "processing_for_ms") {
      knobs.processing_for = std::chrono::milliseconds(value.as_int64());
    } else if (key == "processing_retry_after") {
      knobs.processing_retry_after = std::string(value.as_string());
    } else if (key == "deny") {
      knobs.deny = value.as_bool();
    } else if (key == "orders_a_page") {
      knobs.orders_a_page = static_cast<std::size_t>(value.as_int64());
    } else if (key == "silent") {
      knobs.silent = json::value_to<std::set<std::string>>(value);
    } else if (key == "window_s") {  // of the suggestion to renew, from now
      auto const now = crypto::wall_now();
      knobs.window.emplace(now + std::chrono::seconds(value.at(0).as_int64()),
                           now + std::chrono::seconds(value.at(1).as_int64()));
    } else if (key == "domain") {
      knobs.limits.domain = limit_of(value);
    } else {
      std::fprintf(stderr, "no knob '%s'\n", std::string(key).c_str());
      std::abort();
    }
  }
}

json::object shown(test::ScriptedCounters const& counters) {
  return {{"accounts", counters.accounts},
          {"orders", counters.orders},
          {"finalizes", counters.finalizes},
          {"certificates", counters.certificates},
          {"caa_refusals", counters.caa_refusals},
          {"limited", counters.limited},
          {"polls", counters.polls},
          {"replaces", counters.replaces.size()},
          {"invalid", counters.invalid},
          {"renewal_infos", counters.renewal_infos},
          {"deactivations", counters.deactivations}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5 && count != 6) {
    std::fprintf(stderr, "usage: scripted_ca PORT CERTIFICATE KEY DNS-PORT [PUBLIC-PORT]\n");
    return 2;
  }
  auto const dns_port = static_cast<std::uint16_t>(std::stoul(arguments[4]));
  net::asio::io_context loop{1};
  test::ScriptedAcme* running = nullptr;
  test::ScriptedAcme::Place place;
  place.address = std::string("127.0.0.1:") + arguments[1];
  place.identity = net::Identity{arguments[2], arguments[3]};
  place.base = count == 6 ? std::string("https://localhost:") + arguments[5] : std::string();
  place.routes = [&](net::Router& router) {
    router.add("PUT", "/control/knobs", [&](net::HttpRequest request) -> net::Task<net::HttpResponse> {
      set_knobs(running->knobs, json::parse(request.body).as_object(), dns_port);
      co_return net::HttpResponse::json(200, "{}");
    });
    router.add("GET", "/control/counters", [&](net::HttpRequest) -> net::Task<net::HttpResponse> {
      co_return net::HttpResponse::json(200, json::serialize(shown(running->counters)));
    });
    router.add("POST", "/control/forget", [&](net::HttpRequest) -> net::Task<net::HttpResponse> {
      running->forget_everything();
      co_return net::HttpResponse::json(200, "{}");
    });
  };
  test::ScriptedAcme ca(
      loop.get_executor(),
      [dns_port](std::string const& name, std::string const& value) {
        auto const contents = ask(dns_port, name, dns::type_txt);
        return std::ranges::find(contents, "\"" + value + "\"") != contents.end();
      },
      place);
  running = &ca;
  net::asio::signal_set ending(loop, SIGTERM, SIGINT);
  ending.async_wait([&loop](boost::system::error_code, int) { loop.stop(); });
  std::printf("%s\n", ca.directory_url().c_str());
  std::fflush(stdout);
  loop.run();
  return 0;
}
