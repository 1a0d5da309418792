// Tells an operator's own systems that something happened: one JSON object by HTTP POST, again until it is taken.
//
//   POST URL   Content-Type: application/json
//              Sovereign-Event: <id>                       the same at every try, so that a receiver can drop repeats
//              Sovereign-Signature: sha256=<hex>           HMAC-SHA256 of the body, when there is a secret
//
// Taken means 2xx. Anything else, and silence, is tried again, 1 s to 60 s apart, for an hour; then it is given up and
// counted. Events reach one URL in order, so one that is not taken holds up those behind it for that long at most.
//
// Threads: one object on the control loop.
#pragma once

#include "base/http_client/http_client.hpp"
#include "base/process/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace webhook {

struct Target {
  std::string url;
  std::string secret;  // empty: unsigned
};

struct WebhookSettings {
  std::vector<Target> targets;
  net::TlsClientSettings tls;
  std::chrono::milliseconds deadline{5000};  // of one try
  std::chrono::milliseconds first_retry{1000};
  std::chrono::milliseconds last_retry{60'000};
  std::chrono::milliseconds patience{3'600'000};  // with one event
  std::size_t waiting_max = 1000;                 // events per URL; then the oldest go
};

struct TargetStatus {
  std::string url;
  std::uint64_t taken = 0;
  std::uint64_t given_up = 0;
  std::size_t waiting = 0;
  std::string last_error;  // empty after a success
};

class Webhook {
 public:
  // Metrics: navigator_webhook_taken_total, navigator_webhook_given_up_total, each by {url}.
  Webhook(net::asio::any_io_executor executor, WebhookSettings settings, process::Metrics& metrics);
  ~Webhook();  // what waits is given up
  Webhook(Webhook const&) = delete;
  Webhook& operator=(Webhook const&) = delete;

  // `id` names the event for ever; `body` is JSON.
  void notify(std::string id, std::string body);
  [[nodiscard]] std::vector<TargetStatus> status() const;

 private:
  struct Line;
  std::vector<std::shared_ptr<Line>> lines_;
};

// "sha256=" and the HMAC-SHA256 of `body` under `secret` in lower-case hex. Pure.
[[nodiscard]] std::string signature(std::string const& secret, std::string const& body);

}  // namespace webhook
