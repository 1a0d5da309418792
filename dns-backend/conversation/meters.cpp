#include "dns-backend/conversation/meters.hpp"

#include <fmt/core.h>

namespace connector {

Meters::Meters(process::Metrics& metrics) {
  for (std::size_t i = 0; i < remote::method_count; ++i) {
    process::Labels const labels{{"method", std::string(remote::to_text(static_cast<remote::Method>(i)))}};
    requests[i] = metrics.counter("navigator_remote_requests_total", "Requests of PowerDNS", labels);
    seconds[i] = metrics.counter("navigator_remote_seconds_total", "Seconds from a whole request to its reply", labels);
  }
  for (std::size_t i = 0; i < within.size(); ++i) {
    within[i] = metrics.counter("navigator_remote_within_total", "Requests that took no longer than `seconds`",
                                {{"seconds", fmt::format("{}", within_seconds[i])}});
  }
  auto const reason = [&](char const* name) {
    return metrics.counter("navigator_remote_failures_total", "Requests that ended their connection",
                           {{"reason", name}});
  };
  bad_request = reason("bad_request");
  too_large = reason("too_large");
  unavailable = reason("unavailable");
  write = reason("write");
  connections = metrics.gauge("navigator_remote_connections", "Open connections of PowerDNS");
  refused = metrics.counter("navigator_remote_refused_connections_total", "Connections above the limit");
}

void Meters::answered(remote::Method method, std::chrono::duration<double> elapsed) const {
  requests[static_cast<std::size_t>(method)].add();
  seconds[static_cast<std::size_t>(method)].add(elapsed.count());
  for (std::size_t i = within.size(); i-- > 0 && elapsed.count() <= within_seconds[i];) {
    within[i].add();
  }
}

void Meters::failed(boost::system::error_code const& code) const {
  if (code == remote::errc::bad_request) {
    bad_request.add();
  } else if (code == remote::errc::too_large) {
    too_large.add();
  } else if (code == remote::errc::unavailable) {
    unavailable.add();
  } else {
    write.add();
  }
}

}  // namespace connector
