#include "mesh/names/publisher.hpp"

#include "base/http_client/http_client.hpp"
#include "base/net/backoff.hpp"
#include "base/process/log.hpp"
#include "base/process/service.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <random>

namespace names {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds first_pause{1000};
constexpr milliseconds last_pause{60000};
constexpr milliseconds check_again{600000};
constexpr milliseconds deadline{10000};
constexpr std::size_t hosts_limit = 16U << 20U;

// The whole zone, which Navigator compares with what it has: equal records are no change.
net::Task<base::Result<void>> put(net::HttpClient* client, std::string socket, Zone zone) {
  std::string const place = "unix:" + socket + ":/v1/zones/" + net::percent_encode(zone.name);
  net::HttpRequest look;
  auto const present = co_await client->send(place + "/export", std::move(look), deadline);
  if (!present) {
    co_return present.error();
  }
  // Replaced as a whole, so only where nobody else's records can be in it.
  if (present->status == 200 && present->body.find(" " + zone.owner + " ") == std::string::npos) {
    co_return base::fail(net::errc::bad_message, "zone " + zone.name +
                                                     " is there and is not the mesh's (its SOA does not "
                                                     "name " +
                                                     zone.owner + "): delete it, or choose another internal_domain");
  }
  std::string const target = place + "/import";
  net::HttpRequest request;
  request.method = "PUT";
  request.headers.set("Content-Type", "text/dns");
  request.body = std::move(zone.text);
  auto const answer = co_await client->send(target, std::move(request), deadline);
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status / 100 != 2) {
    co_return base::fail(net::errc::bad_message, "zone " + zone.name + ": status " + std::to_string(answer->status) +
                                                     ": " + answer->body.substr(0, 300));
  }
  co_return base::Result<void>();
}

base::Result<void> write_hosts(std::string const& file, std::string const& lines) {
  auto const present = process::read_file(file, hosts_limit);
  if (!present && present.error().code != boost::system::errc::no_such_file_or_directory) {
    return present.error();
  }
  std::string const before = present ? *present : std::string();
  std::string const after = with_block(before, lines);
  if (after == before) {
    return {};
  }
  // The file that a link leads to, with the mode it has.
  std::error_code missing;
  auto const target = std::filesystem::canonical(file, missing);
  auto const status = missing ? std::filesystem::file_status() : std::filesystem::status(target, missing);
  unsigned const mode = missing ? 0644U : static_cast<unsigned>(status.permissions()) & 0777U;
  return process::write_file_atomically(missing ? file : target.string(), after, mode);
}

}  // namespace

std::string to_json(PublisherStatus const& status) {
  boost::json::object out;
  out["revision"] = status.revision;
  out["failure"] = status.failure;
  return boost::json::serialize(out);
}

struct Publisher::State {
  State(net::asio::any_io_executor its_executor, PublisherSettings its_settings)
      : executor(its_executor),
        settings(std::move(its_settings)),
        client(its_executor, {}),
        woken(std::make_unique<net::Signal>(its_executor)) {}

  net::asio::any_io_executor executor;
  PublisherSettings settings;
  net::HttpClient client;
  std::unique_ptr<net::Signal> woken;
  std::vector<Zone> zones;
  std::string hosts;
  std::int64_t revision = -1;  // of what is wanted
  PublisherStatus status;
  bool stopped = false;

  // What is wanted may change while it is put: the loop comes again then.
  static net::Task<base::Result<void>> put_all(std::shared_ptr<State> self) {
    // One does not wait for the other.
    base::Result<void> hosts;
    if (!self->settings.hosts_file.empty()) {
      hosts = write_hosts(self->settings.hosts_file, self->hosts);
    }
    std::vector<Zone> const zones = self->settings.navigator.empty() ? std::vector<Zone>() : self->zones;
    for (Zone const& zone : zones) {
      Zone copy = zone;
      std::string socket = self->settings.navigator;
      auto const done = co_await put(&self->client, std::move(socket), std::move(copy));
      if (!done || self->stopped) {
        co_return done;
      }
    }
    co_return hosts;
  }

  static net::Task<void> run(std::shared_ptr<State> self) {
    net::Backoff backoff(first_pause, last_pause);
    std::minstd_rand random(std::random_device{}());
    while (!self->stopped) {
      std::int64_t const revision = self->revision;
      auto const done = co_await put_all(self);
      if (self->stopped) {
        break;
      }
      if (!done && self->status.failure != done.error().what()) {
        process::log::warning("names", "the mesh's names are not in place: {}", done.error().what());
      }
      self->status.failure = done ? std::string() : done.error().what();
      if (done) {
        self->status.revision = revision;
        backoff.succeeded();
      }
      if (self->revision != revision) {
        continue;
      }
      auto const pause = done ? check_again : backoff.next(static_cast<std::uint32_t>(random()));
      bool const news = co_await self->woken->wait(pause);
      if (news) {  // worlds that follow each other quickly must not add up to a long pause
        backoff.succeeded();
      }
    }
  }
};

Publisher::Publisher(net::asio::any_io_executor executor, PublisherSettings settings)
    : state_(std::make_shared<State>(executor, std::move(settings))) {}

Publisher::~Publisher() {
  state_->stopped = true;
  state_->woken->notify();
}

void Publisher::publish(plan::World const& world) {
  bool const first = state_->revision < 0;
  state_->zones = zones(world);
  state_->hosts = hosts(world);
  state_->revision = world.revision;
  if (first) {
    net::spawn(state_->executor, "publishing the mesh's names", State::run(state_));
  } else {
    state_->woken->notify();
  }
}

PublisherStatus const& Publisher::status() const {
  return state_->status;
}

}  // namespace names
