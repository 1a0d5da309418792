#include "dns-backend/webhook/webhook.hpp"

#include "base/net/backoff.hpp"
#include "base/process/log.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <deque>
#include <random>

namespace webhook {
namespace {

using Clock = std::chrono::steady_clock;

struct Event {
  std::string id;
  std::string body;
  Clock::time_point began;
};

net::HttpClientSettings client_of(WebhookSettings const& settings) {
  net::HttpClientSettings client;
  client.tls = settings.tls;
  client.response_limit = 64U << 10U;
  return client;
}

}  // namespace

std::string signature(std::string const& secret, std::string const& body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> octets{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<unsigned char const*>(body.data()), body.size(), octets.data(), &size);
  constexpr char const* digits = "0123456789abcdef";
  std::string out = "sha256=";
  for (unsigned i = 0; i < size; ++i) {
    out += digits[octets[i] >> 4U];
    out += digits[octets[i] & 15U];
  }
  return out;
}

// One URL. Its task keeps it alive until the Webhook has gone.
struct Webhook::Line {
  Line(net::asio::any_io_executor executor, WebhookSettings const& wanted, Target the_target, process::Metrics& metrics)
      : settings(wanted),
        target(std::move(the_target)),
        client(executor, client_of(wanted)),
        wake(executor),
        backoff(wanted.first_retry, wanted.last_retry),
        taken(metrics.counter("navigator_webhook_taken_total", "Events that were taken", {{"url", target.url}})),
        given_up(
            metrics.counter("navigator_webhook_given_up_total", "Events that nobody took", {{"url", target.url}})) {
    status.url = target.url;
  }

  void give_up_first() {
    events.pop_front();
    ++status.given_up;
    given_up.add();
  }
  static net::Task<void> deliver_for_ever(std::shared_ptr<Line> line);

  WebhookSettings settings;
  Target target;
  net::HttpClient client;
  net::Signal wake;
  net::Backoff backoff;
  process::Counter taken, given_up;
  std::deque<Event> events;
  TargetStatus status;
  std::minstd_rand random{std::random_device{}()};
  bool running = true;
};

net::Task<void> Webhook::Line::deliver_for_ever(std::shared_ptr<Line> line) {
  constexpr std::chrono::hours again_in{1};  // only a notification ends this wait
  while (line->running) {
    if (line->events.empty()) {
      co_await line->wake.wait(again_in);
      continue;
    }
    Event const event = line->events.front();
    net::HttpRequest request;
    request.method = "POST";
    request.headers.set("Content-Type", "application/json");
    request.headers.set("Sovereign-Event", event.id);
    if (!line->target.secret.empty()) {
      request.headers.set("Sovereign-Signature", signature(line->target.secret, event.body));
    }
    request.body = event.body;
    auto const answer = co_await line->client.send(line->target.url, request, line->settings.deadline);
    if (!line->running) {
      co_return;
    }
    // The queue may have run over meanwhile: the event that was sent is then no longer its first.
    bool const still_first = !line->events.empty() && line->events.front().id == event.id;
    if (answer && answer->status / 100 == 2) {
      ++line->status.taken;
      line->taken.add();
      line->status.last_error.clear();
      line->backoff.succeeded();
      if (still_first) {
        line->events.pop_front();
      }
      continue;
    }
    std::string const error = answer ? "answered with status " + std::to_string(answer->status) : answer.error().what();
    if (error != line->status.last_error) {
      process::log::warning("webhook", "{}: {}", line->target.url, error);
    }
    line->status.last_error = error;
    if (still_first && Clock::now() - event.began > line->settings.patience) {
      line->give_up_first();
      continue;
    }
    Clock::time_point const until = Clock::now() + line->backoff.next(static_cast<std::uint32_t>(line->random()));
    while (line->running && Clock::now() < until) {
      co_await line->wake.wait(std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()));
    }
  }
}

Webhook::Webhook(net::asio::any_io_executor executor, WebhookSettings settings, process::Metrics& metrics) {
  for (Target const& target : settings.targets) {
    auto const line = std::make_shared<Line>(executor, settings, target, metrics);
    lines_.push_back(line);
    net::spawn(executor, "webhook " + target.url, Line::deliver_for_ever(line));
  }
}

Webhook::~Webhook() {
  for (auto const& line : lines_) {
    line->running = false;
    line->wake.notify();
  }
}

void Webhook::notify(std::string id, std::string body) {
  for (auto const& line : lines_) {
    line->events.push_back({id, body, Clock::now()});
    if (line->events.size() > line->settings.waiting_max) {
      line->give_up_first();
    }
    line->wake.notify();
  }
}

std::vector<TargetStatus> Webhook::status() const {
  std::vector<TargetStatus> out;
  for (auto const& line : lines_) {
    out.push_back(line->status);
    out.back().waiting = line->events.size();
  }
  return out;
}

}  // namespace webhook
