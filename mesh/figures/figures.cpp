#include "mesh/figures/figures.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace figures {
namespace {

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

net::Task<net::HttpResponse> answer(net::HttpResponse response) {
  co_return response;
}

}  // namespace

std::int64_t newest_snapshot_s(std::string const& directory) {
  std::int64_t newest = 0;
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator(directory, error)) {
    auto const at = entry.last_write_time(error);
    if (error || !entry.path().filename().string().starts_with("world-")) {
      continue;
    }
    auto const age = std::chrono::file_clock::now() - at;
    newest = std::max(newest, wall_clock_s() - std::chrono::duration_cast<std::chrono::seconds>(age).count());
  }
  return newest;
}

Figures::Figures(process::Metrics& metrics, std::function<agent::Status()> status, std::string state_directory)
    : metrics_(metrics), status_(std::move(status)), worlds_(std::move(state_directory) + "/worlds"), links_(metrics) {}

Figures::~Figures() {
  *stopped_ = true;
}

void Figures::show_credentials(agent::FollowerStatus const& controller, std::int64_t now_s) {
  auto const show = [&](char const* name, char const* about, std::int64_t until_s) {
    if (until_s != 0) {
      metrics_.gauge(name, about).set(static_cast<double>(std::max<std::int64_t>(0, until_s - now_s)));
    }
  };
  show("privateer_certificate_left_seconds", "Until the node's certificate ends", controller.certificate_until_s);
  show("privateer_issuer_left_seconds", "Until what the controller issued it with ends", controller.issuer.until_s);
}

void Figures::refresh(std::int64_t now_s) {
  auto const status = status_();
  auto const& pass = status.last_pass;
  links_.show(agent::links_of(pass.devices, pass.neighbors, pass.bfd, status.round_trips), now_s);
  show_credentials(status.controller, now_s);
  if (auto const snapshot_s = newest_snapshot_s(worlds_); snapshot_s != 0) {
    metrics_.gauge("privateer_snapshot_age_seconds", "Since the newest world was kept on disk")
        .set(static_cast<double>(std::max<std::int64_t>(0, now_s - snapshot_s)));
  }
}

net::Task<void> Figures::keep_fresh(Figures* self, std::shared_ptr<bool> stopped) {
  while (!*stopped) {
    self->refresh(wall_clock_s());
    bool const waited = co_await net::wait_for(refresh_interval);
    if (!waited) {
      break;
    }
  }
}

void Figures::start(net::asio::any_io_executor executor) {
  net::spawn(std::move(executor), "figures", keep_fresh(this, stopped_));
}

void Figures::add_routes(net::Router& router) {
  router.add("GET", "/metrics", [this](net::HttpRequest const&) {
    refresh(wall_clock_s());
    return answer(net::HttpResponse::text(200, metrics_.text()));
  });
  router.add("GET", "/healthz", [this](net::HttpRequest const&) {
    auto const status = status_();
    return answer(net::HttpResponse::text(agent::in_order(status) ? 200 : 503, agent::verdict(status) + "\n"));
  });
}

}  // namespace figures
