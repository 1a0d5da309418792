#include "dns-backend/conversation/conversation.hpp"

#include "tests/dns-backend/remote/world.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <new>

namespace {

// Counts what this binary takes from the heap. One thread asks.
std::size_t taken = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++taken;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) {
    return memory;
  }
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

using testing::HasSubstr;
using testing::Not;

std::string metadata(std::string const& apex) {
  return R"({"method": "getAllDomainMetadata", "parameters": {"name": ")" + apex + "\"}}\n";
}

class Talk : public testing::Test {
 protected:
  std::string reply(std::string const& request) {
    std::string out;
    auto const done = conversation.reply_at_once(request, out);
    EXPECT_TRUE(done && *done) << request;
    return out;
  }

  pool::HealthTable health;
  store::Published<store::Snapshot> published{test::snapshot({test::example()})};
  process::Metrics metrics;
  connector::Meters meters{metrics};
  std::atomic<bool> leaving{false};
  std::atomic<std::size_t> transactions{0};
  connector::Serving serving{published, health, nullptr, meters, false, leaving, transactions, {}};
  connector::Conversation conversation{serving};
};

TEST_F(Talk, TheSameQuestionHasTheSameAnswerUntilTheSnapshotMoves) {
  std::string const question = test::lookup("new.example.org.");
  EXPECT_EQ(reply(question), "{\"result\":[]}\n");
  EXPECT_EQ(reply(question), "{\"result\":[]}\n");
  auto draft = test::example();
  draft.record("new.example.org.", "A", {"192.0.2.99"});
  draft.metadata["SOA-EDIT"] = {"EPOCH"};
  EXPECT_THAT(reply(metadata("example.org.")), Not(HasSubstr("EPOCH")));
  published.publish(test::snapshot({draft}));
  EXPECT_THAT(reply(question), HasSubstr("192.0.2.99"));
  EXPECT_THAT(reply(metadata("example.org.")), HasSubstr("EPOCH"));
  serving.forget();
  EXPECT_THAT(reply(question), HasSubstr("192.0.2.99"));
  EXPECT_THAT(metrics.text(), HasSubstr("navigator_remote_requests_total{method=\"lookup\"} 4"));
}

TEST_F(Talk, WhatHealthDecidesIsNeverRemembered) {
  auto draft = test::example();
  auto const pool = std::make_shared<pool::Pool>();
  pool->name = "ams";
  for (char const* const address : {"198.51.100.1", "198.51.100.2"}) {
    pool->endpoints.push_back({address, address, "", "", health.slot(address)});
    health.set(pool->endpoints.back().slot, probe::Health::up);
  }
  auto const balancer = std::make_shared<pool::LoadBalancer>();
  balancer->pools.push_back(pool);
  store::Entry& entry = draft.at("shop.example.org.");
  entry.balancer = balancer;
  entry.balancer_has4 = true;
  published.publish(test::snapshot({draft}));
  std::string const question = test::lookup("shop.example.org.");
  for (int up = 0; up < 2; ++up) {
    health.set(pool->endpoints[0].slot, up == 0 ? probe::Health::up : probe::Health::down);
    health.set(pool->endpoints[1].slot, up == 0 ? probe::Health::down : probe::Health::up);
    EXPECT_THAT(reply(question), HasSubstr(up == 0 ? "198.51.100.1" : "198.51.100.2"));
    EXPECT_THAT(reply(question), Not(HasSubstr(up == 0 ? "198.51.100.2" : "198.51.100.1")));
  }
}

TEST_F(Talk, AQuestionTakesNothingFromTheHeap) {
  std::vector<std::string> questions{metadata("example.org."), test::lookup("example.org.")};
  for (char const* const name : {"ns1", "www", "none", "other", "deep.ent", "ent", "*.wild", "x.wild"}) {
    questions.push_back(test::lookup(std::string(name) + ".example.org."));
  }
  std::string out;
  auto const ask_all = [&] {
    for (int round = 0; round < 3; ++round) {
      for (std::string const& question : questions) {
        out.clear();
        (void)conversation.reply_at_once(question, out);
      }
    }
  };
  for (int warm = 0; warm < 5; ++warm) {
    ask_all();  // buffers grow to what is asked
  }
  std::size_t const before = taken;
  ask_all();
  EXPECT_EQ(taken - before, 0U);
}

}  // namespace
