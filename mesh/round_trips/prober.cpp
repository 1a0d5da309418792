#include "mesh/round_trips/prober.hpp"

#include "base/process/log.hpp"
#include "mesh/plan/plan.hpp"
#include "mesh/plan/slots.hpp"
#include "mesh/round_trips/echo.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cstring>
#include <random>
#include <span>
#include <utility>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace round_trips {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
constexpr auto values = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t echo_size = 64;
// Jittered, so that nodes do not come to send in step.
constexpr unsigned pause_least_ms = 800;
constexpr unsigned pause_most_ms = 1200;
constexpr milliseconds open_again{60000};

}  // namespace

std::vector<Target> targets_of(plan::World const& world, std::string const& node) {
  std::vector<Target> out;
  auto const& topology = world.topology;
  for (auto const& link : topology.links_of(node)) {
    Target target;
    target.link = link.name();
    target.node = link.a == node ? link.b : link.a;
    target.address = topology::link_local(world.allocation, link, target.node);
    target.cost = plan::cost_of(world, link, node);
    target.measured = topology.measured(link);
    for (unsigned const slot : {0U, 1U}) {
      target.device = plan::device_name(link, node, slot);
      out.push_back(target);
    }
  }
  return out;
}

struct Prober::State {
  struct Link {
    Target target;
    Window window;
    unsigned index = 0;  // of the device now; 0: it is not there
  };

  explicit State(asio::any_io_executor its_executor) : executor(std::move(its_executor)) {}

  asio::any_io_executor executor;
  std::map<std::string, Link> links;  // by device
  std::uint16_t identifier = static_cast<std::uint16_t>(std::random_device{}());
  std::uint16_t sequence = 0;
  std::minstd_rand random{std::random_device{}()};
  std::string failure;
  bool stopped = false;

  // One sequence for all links: who answers is told by device and address.
  void send(int descriptor) {
    auto const message = echo_message(identifier, ++sequence, echo_size);
    for (auto& [device, link] : links) {
      link.index = ::if_nametoindex(device.c_str());
      if (link.index != 0) {
        link.window.sent(sequence, Clock::now());
        send_echo(descriptor, link.target.address, link.index, message);
      }
    }
  }

  void hear(std::span<std::uint8_t const> message, sockaddr_in6 const& from) {
    int const answered = reply_sequence(message, identifier);
    if (answered < 0) {
      return;
    }
    for (auto& [device, link] : links) {
      auto const octets = link.target.address.to_v6().to_bytes();
      if (link.index == from.sin6_scope_id && std::memcmp(octets.data(), &from.sin6_addr, octets.size()) == 0) {
        link.window.heard(static_cast<std::uint16_t>(answered), Clock::now());
        return;
      }
    }
  }

  void receive(int descriptor) {
    std::array<std::uint8_t, 2048> message{};
    for (;;) {
      sockaddr_in6 from{};
      socklen_t length = sizeof(from);
      ssize_t const size = ::recvfrom(descriptor, message.data(), message.size(), MSG_DONTWAIT,
                                      reinterpret_cast<sockaddr*>(&from), &length);
      if (size < 0) {
        return;
      }
      hear(std::span<std::uint8_t const>(message.data(), static_cast<std::size_t>(size)), from);
    }
  }

  static net::Task<void> run(std::shared_ptr<State> self) {
    using namespace asio::experimental::awaitable_operators;
    auto const opened = open_echo_socket();
    if (!opened) {
      if (self->failure.empty()) {
        process::log::warning("agent", "round trips are not measured: {}", opened.error().what());
      }
      self->failure = opened.error().what();
      co_return;
    }
    self->failure.clear();
    asio::posix::stream_descriptor socket(self->executor, *opened);
    asio::steady_timer timer(self->executor);
    std::uniform_int_distribution<unsigned> pause(pause_least_ms, pause_most_ms);
    while (!self->stopped) {
      self->send(socket.native_handle());
      auto const next = Clock::now() + milliseconds(pause(self->random));
      for (bool due = false; !due && !self->stopped;) {
        timer.expires_at(next);
        auto const woken =
            co_await (socket.async_wait(asio::posix::stream_descriptor::wait_read, values) || timer.async_wait(values));
        self->receive(socket.native_handle());
        due = woken.index() == 1 || Clock::now() >= next;
      }
    }
  }

  static net::Task<void> keep_running(std::shared_ptr<State> self) {
    while (!self->stopped) {
      co_await run(self);
      bool const waited = co_await net::wait_for(open_again);
      if (!waited) {
        break;
      }
    }
  }
};

Prober::Prober(net::asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

Prober::~Prober() {
  state_->stopped = true;
}

void Prober::start() {
  net::spawn(state_->executor, "round trips", State::keep_running(state_));
}

void Prober::follow(std::vector<Target> targets) {
  targets.resize(std::min(targets.size(), targets_limit));
  auto before = std::exchange(state_->links, {});
  for (auto& target : targets) {
    auto const device = target.device;
    State::Link link;
    // Another address is another line.
    if (auto const found = before.find(device);
        found != before.end() && found->second.target.address == target.address) {
      link = std::move(found->second);
    }
    link.target = std::move(target);
    state_->links.emplace(device, std::move(link));
  }
}

std::map<std::string, LinkTime> Prober::measured(Time now) const {
  std::map<std::string, LinkTime> out;
  for (auto const& [device, link] : state_->links) {
    out.emplace(device, LinkTime{link.target, link.window.measured(now)});
  }
  return out;
}

std::string const& Prober::failure() const {
  return state_->failure;
}

}  // namespace round_trips
