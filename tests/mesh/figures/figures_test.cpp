#include "mesh/figures/figures.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Figures, TellOfLinksAndTheNewestSnapshot) {
  test::TemporaryFolder folder;
  agent::Status status;
  auto& device = status.last_pass.devices.emplace_back();
  device.name = "wg-bob";
  device.wireguard = true;
  device.up = true;
  status.round_trips["wg-bob"].target = {"wg-bob", "ann--bob", "bob", {}, 23, true};
  process::Metrics metrics;
  figures::Figures figures(
      metrics, [&] { return status; }, folder.file("."));
  figures.refresh(1000);
  EXPECT_THAT(metrics.text(), HasSubstr(R"(privateer_link_cost{device="wg-bob",link="ann--bob",node="bob"} 23)"));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("privateer_snapshot_age_seconds")));
  std::filesystem::create_directories(folder.file("worlds"));
  std::ofstream(folder.file("worlds/world-7")) << "{}";
  std::ofstream(folder.file("worlds/other")) << "{}";
  auto const written = figures::newest_snapshot_s(folder.file("worlds"));
  EXPECT_GT(written, 1'600'000'000);
  figures.refresh(written + 90);
  EXPECT_THAT(metrics.text(), HasSubstr("privateer_snapshot_age_seconds"));
  EXPECT_THAT(metrics.text(), Not(HasSubstr("left_seconds"))) << "nobody knows yet";
  status.controller.certificate_until_s = written + 195;
  status.controller.issuer = {written - 10, written + 5};
  status.last_pass.devices.clear();
  figures.refresh(written + 95);
  EXPECT_THAT(metrics.text(), Not(HasSubstr("wg-bob")));
  EXPECT_THAT(metrics.text(), HasSubstr("privateer_certificate_left_seconds 100\n"));
  EXPECT_THAT(metrics.text(), HasSubstr("privateer_issuer_left_seconds 0\n")) << "it has ended";
}

TEST(Figures, AFolderThatIsNotThereHasNoSnapshot) {
  EXPECT_EQ(figures::newest_snapshot_s("/nonexistent/worlds"), 0);
}

}  // namespace
