#include "mesh/agent/belief/worlds.hpp"

#include "base/process/service.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace agent {
namespace {

constexpr std::int64_t now_s = 1'800'000'000;

// A full disk must not make a node forget what was removed: the same world, asked for again, writes it.
TEST(Worlds, WhatCouldNotBeWrittenIsWrittenWhenTheWorldComesAgain) {
  test::TemporaryFolder const folder;
  auto const directory = folder.file("state");  // is not there yet, so nothing can be written
  plan::WorldDocument document;
  document.revision = 7;
  document.topology = "name: t\n";
  document.removed = {"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="};
  auto const world = signed_world::sign(document, signed_world::SigningKey::generate());
  Worlds worlds(directory);
  std::vector<std::string> struck;
  auto const refused = worlds.believe(world, now_s, struck);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, boost::system::errc::no_such_file_or_directory);
  std::filesystem::create_directory(directory);
  ASSERT_TRUE(worlds.believe(world, now_s, struck));
  auto const written = process::read_file(directory + "/removed");
  ASSERT_TRUE(written);
  EXPECT_NE(written->find(*document.removed.begin()), std::string::npos) << *written;
}

// The agent asks further questions of what is believed: only the answer to all of them says which keys there are.
TEST(Worlds, AWorldThatIsNotAcceptedTakesNobodyOutOfAnOlderOne) {
  test::TemporaryFolder const folder;
  auto const ann = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
  auto const bob = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
  auto const key = signed_world::SigningKey::generate();
  plan::WorldDocument used;
  used.revision = 7;
  used.topology = "name: t\n";
  used.nodes = {{"ann", ann}, {"bob", bob}};
  auto refused = used;
  refused.revision = 8;
  refused.nodes.erase("bob");
  std::vector<std::string> struck;
  {
    Worlds worlds(folder.path());
    ASSERT_TRUE(worlds.accept(worlds.believe(signed_world::sign(used, key), now_s, struck).value()));
    ASSERT_TRUE(worlds.believe(signed_world::sign(refused, key), now_s, struck));
  }
  Worlds again(folder.path());
  ASSERT_TRUE(again.open());
  EXPECT_EQ(again.believe(signed_world::sign(used, key), now_s, struck)->nodes.size(), 2U);
  refused.removed = {bob};
  ASSERT_TRUE(again.believe(signed_world::sign(refused, key), now_s, struck));
  EXPECT_EQ(again.believe(signed_world::sign(used, key), now_s, struck)->nodes.size(), 1U) << "called removed";
  EXPECT_EQ(struck, std::vector<std::string>{"bob"});
}

// A power cut, and a machine whose clock starts where it was last written: what it used itself is not from the future.
TEST(Worlds, WhatWasUsedHereIsNotFromTheFutureWhateverTheClockSays) {
  test::TemporaryFolder const folder;
  auto const key = signed_world::SigningKey::generate();
  ASSERT_TRUE(process::write_file_atomically(folder.file("controller.pin"),
                                             signed_world::to_text({key.verify_key(), "m", now_s - 100'000}), 0644));
  plan::WorldDocument document;
  document.revision = 7;
  document.mesh = "m";
  document.topology = "name: t\n";
  document.issued_at_s = now_s;
  auto const used = signed_world::sign(document, key);
  document.revision = 8;
  auto const newer = signed_world::sign(document, key);
  std::vector<std::string> struck;
  {
    Worlds worlds(folder.path());
    ASSERT_TRUE(worlds.open());
    ASSERT_TRUE(worlds.accept(worlds.believe(used, now_s, struck).value()));
  }
  auto const booted_s = now_s - 23 * 60;
  Worlds worlds(folder.path());
  ASSERT_TRUE(worlds.open());
  EXPECT_TRUE(worlds.believe(used, booted_s, struck, true));
  EXPECT_EQ(worlds.believe(used, booted_s, struck).error().code, signed_world::errc::future) << "from elsewhere";
  EXPECT_EQ(worlds.believe(newer, booted_s, struck, true).error().code, signed_world::errc::future)
      << "was never used here";
  EXPECT_TRUE(worlds.believe(newer, now_s, struck, true)) << "the clock was set";
}

}  // namespace
}  // namespace agent
