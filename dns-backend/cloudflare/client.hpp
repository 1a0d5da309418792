// Cloudflare's DNS API (client/v4): list with paging, batch, and what its rate limit asks for.
//
// Threads: belongs to the loop of its HttpClient.
#pragma once

#include "base/http_client/http_client.hpp"
#include "dns-backend/cloudflare/plan.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace cloudflare {

struct ClientSettings {
  std::string base_url = "https://api.cloudflare.com/client/v4";
  std::string token;                          // "Authorization: Bearer TOKEN"; never logged
  std::chrono::milliseconds deadline{30000};  // of one request
  unsigned per_page = 1000;
  unsigned pages_max = 1000;
};

class Client {
 public:
  // `http` must outlive the client.
  Client(net::HttpClient& http, ClientSettings settings) : http_(http), settings_(std::move(settings)) {}

  // Every record of the zone. Failures: those of net::HttpClient and cloudflare::errc.
  net::Task<base::Result<std::vector<Record>>> list(std::string zone_id);
  // One transaction: all operations or none.
  net::Task<base::Result<void>> apply(std::string zone_id, Batch batch);

  // How long Cloudflare asked to be left alone, seen from `now`; zero when it did not.
  [[nodiscard]] std::chrono::milliseconds pause(std::chrono::steady_clock::time_point now) const;

 private:
  net::Task<base::Result<net::HttpResponse>> send(std::string url, std::string method, std::string body);

  net::HttpClient& http_;
  ClientSettings settings_;
  std::chrono::steady_clock::time_point quiet_until_{};
};

// What an answer says about the next request. 429: Retry-After, else `t` of Ratelimit, else five minutes, which is how
// long Cloudflare refuses. Any other status: `t` when Ratelimit says that nothing is left. At most ten minutes. Pure.
[[nodiscard]] std::chrono::seconds advised_wait(net::HttpResponse const& response);

// The body of a batch request.
[[nodiscard]] std::string to_json(Batch const& batch);

}  // namespace cloudflare
