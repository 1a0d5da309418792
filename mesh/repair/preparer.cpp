#include "mesh/repair/preparer.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

namespace repair {
namespace {

// Whether the same detours are made by both: a plan is made anew for a service that is announced, too.
bool alike(plan::NodePlan const& left, plan::NodePlan const& right) {
  auto const same = [](wireguard::Device const& one, wireguard::Device const& other) {
    return one.name == other.name && one.alias == other.alias;
  };
  return left.successors == right.successors &&
         std::equal(left.devices.begin(), left.devices.end(), right.devices.begin(), right.devices.end(), same);
}

}  // namespace

struct Preparer::State {
  State(boost::asio::any_io_executor its_loop, std::function<void(Detours)> its_ready)
      : loop(std::move(its_loop)), ready(std::move(its_ready)) {}

  boost::asio::any_io_executor loop;
  std::function<void(Detours)> ready;
  World world;  // asked for last, with its plan
  Plan plan;
  World made_of;  // what the thread works at
  Plan made_by;
  std::thread thread;  // joinable from its start until the loop has what it made
  bool stopped = false;

  static void begin(std::shared_ptr<State> const& self) {
    self->made_of = self->world;
    self->made_by = self->plan;
    try {
      self->thread = std::thread([self, world = self->world, plan = self->plan, loop = self->loop] {
        auto made = std::make_shared<Detours>(detours_of(*world, *plan));
        boost::asio::post(loop, [self, made] { end(self, std::move(*made)); });
      });
    } catch (std::system_error const&) {  // no thread is to be had: the loop waits, and the mesh has its detours
      self->ready(detours_of(*self->world, *self->plan));
    }
  }

  static void end(std::shared_ptr<State> const& self, Detours made) {
    if (self->thread.joinable()) {
      self->thread.join();
    }
    if (self->stopped) {
      return;
    }
    if (self->made_of == self->world && self->made_by == self->plan) {
      self->ready(std::move(made));
    } else {
      begin(self);
    }
  }
};

Preparer::Preparer(boost::asio::any_io_executor loop, std::function<void(Detours)> ready)
    : state_(std::make_shared<State>(std::move(loop), std::move(ready))) {}

Preparer::~Preparer() {
  state_->stopped = true;
  if (state_->thread.joinable()) {
    state_->thread.join();
  }
}

void Preparer::prepare(World world, Plan plan) {
  if (world == state_->world && alike(*plan, *state_->plan)) {
    return;
  }
  state_->world = std::move(world);
  state_->plan = std::move(plan);
  state_->ready({});
  if (!state_->thread.joinable()) {
    State::begin(state_);
  }
}

bool Preparer::at_work() const {
  return state_->thread.joinable();
}

}  // namespace repair
