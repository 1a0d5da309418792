#include "dns-backend/geo/mmdb.hpp"

#include "mmdb_writer.hpp"

#include "dns-backend/geo/locators.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <random>

namespace geo {
namespace {

using testing::HasSubstr;

std::string shown(std::optional<Place> const& place) {
  if (!place) {
    return "-";
  }
  std::string out =
      std::string(place->region) + " " + std::string(place->continent) + " /" + std::to_string(place->scope_bits);
  return place->has_coordinates ? out + " " + std::to_string(static_cast<int>(place->latitude * 10)) + "," +
                                      std::to_string(static_cast<int>(place->longitude * 10))
                                : out;
}

class MmdbTest : public testing::Test {
 protected:
  std::shared_ptr<Mmdb const> open(test::MmdbWriter const& writer) {
    writer.write(path_);
    return *Mmdb::open(path_);
  }
  static std::string at(Locator const& locator, std::string_view client) {
    return shown(locator.locate(*parse_client(client)));
  }

  test::TemporaryFolder folder_;
  std::string path_ = folder_.file("places.mmdb");
};

TEST_F(MmdbTest, TellsCountryContinentAndCoordinates) {
  auto const database = open(test::MmdbWriter()
                                 .add("192.0.2.0/24", "DE", "EU", {{52.5, 13.4}})
                                 .add("192.0.2.128/25", "AT", "EU")
                                 .add("2001:db8::/32", "AU", "OC", {{-33.8, 151.2}})
                                 .add("203.0.113.0/24", "", "NA"));
  EXPECT_EQ(at(*database, "192.0.2.1"), "DE EU /25 525,134") << "the other half is another country";
  EXPECT_EQ(at(*database, "192.0.2.129"), "AT EU /25");
  EXPECT_EQ(at(*database, "192.0.2.0/24"), "DE EU /24 525,134") << "no more decides than is known";
  EXPECT_EQ(at(*database, "2001:db8:5::1"), "AU OC /32 -338,1512");
  EXPECT_EQ(at(*database, "203.0.113.9"), " NA /24");
  EXPECT_EQ(at(*database, "198.51.100.1"), "-");
  EXPECT_EQ(at(*database, "2001:db9::1"), "-");
  EXPECT_EQ(at(*database, "0.0.0.0/0"), "-");
}

TEST_F(MmdbTest, ReadsDatabasesOfIPv4Alone) {
  auto const database = open(test::MmdbWriter(4).add("192.0.2.0/24", "DE", "EU"));
  EXPECT_EQ(at(*database, "192.0.2.1"), "DE EU /24");
  EXPECT_EQ(at(*database, "2001:db8::1"), "-");
}

TEST_F(MmdbTest, TakesARecordOfAnotherShapeForAPlaceWithoutName) {
  auto const database = open(test::MmdbWriter().add_record("192.0.2.0/24", test::MmdbWriter::text("no map")));
  EXPECT_EQ(at(*database, "192.0.2.1"), "  /24");
}

TEST_F(MmdbTest, SaysWhichFileCannotBeOpenedAndWhy) {
  auto const missing = Mmdb::open(path_);
  ASSERT_FALSE(missing);
  ASSERT_EQ(missing.error().size(), 1U);
  EXPECT_EQ(missing.error()[0].place.source, path_);
  EXPECT_THAT(missing.error()[0].message, HasSubstr("No such file"));
  EXPECT_FALSE(missing.error()[0].hint.empty());
  std::ofstream(path_) << "no database";
  auto const strange = Mmdb::open(path_);
  ASSERT_FALSE(strange);
  EXPECT_THAT(strange.error()[0].message, HasSubstr("MaxMind"));
}

TEST_F(MmdbTest, SurvivesDamage) {
  std::string const whole =
      test::MmdbWriter().add("192.0.2.0/24", "DE", "EU", {{52.5, 13.4}}).add("2001:db8::/32", "AU", "OC").database();
  std::mt19937 random(7);  // NOLINT: the same damage every time
  int opened = 0;
  for (int round = 0; round < 400; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 4; ++i) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    std::ofstream(path_, std::ios::binary) << damaged;
    auto const database = Mmdb::open(path_);
    if (!database) {
      continue;
    }
    ++opened;
    for (char const* const client : {"192.0.2.1", "2001:db8::1", "8.8.8.8"}) {
      auto const place = (*database)->locate(*parse_client(client));
      EXPECT_LE(place ? place->scope_bits : 0, 128);
    }
  }
  EXPECT_GT(opened, 50);
}

TEST_F(MmdbTest, ComesAfterTheOperatorsMap) {
  test::MmdbWriter().add("10.0.0.0/8", "DE", "EU").write(path_);
  std::string const map = folder_.file("map");
  std::ofstream(map) << "10.1.0.0/16 office 1,2\n";
  auto const both = *load_locator({map, path_});
  EXPECT_EQ(at(*both, "10.1.2.3"), "office  /16 10,20");
  EXPECT_EQ(at(*both, "10.2.2.3"), "DE EU /15") << "10.0.0.0/15 has the office in it, 10.2.0.0/15 does not";
  EXPECT_EQ(at(*both, "10.0.2.3"), "DE EU /16");
  EXPECT_EQ(at(*both, "11.0.0.1"), "-");
  EXPECT_EQ(at(**load_locator({map, ""}), "10.2.2.3"), "-");
  EXPECT_EQ(at(**load_locator({"", path_}), "10.1.2.3"), "DE EU /8");
  EXPECT_EQ(*load_locator({}), nullptr);
  auto const neither = load_locator({folder_.file("none"), folder_.file("none.mmdb")});
  ASSERT_FALSE(neither);
  EXPECT_EQ(neither.error().size(), 2U) << "both at once";
}

}  // namespace
}  // namespace geo
