#include "dns-backend/commands/steering/command_line.hpp"
#include "dns-backend/commands/steering/yaml.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <fstream>

namespace commands {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// No daemon answers in the folder, so that every command opens the store itself.
class SteeringCommands : public testing::Test {
 protected:
  SteeringCommands() {
    place.api_unix = folder.file("api.sock");
    place.store_url = "sqlite://" + folder.file("navigator.db");
  }
  std::string file(std::string const& name, std::string const& text) const {
    std::ofstream(folder.file(name)) << text;
    return folder.file(name);
  }
  // The exit code; what was printed is in `out` and `err`.
  int run(std::vector<std::string> words) {
    CLI::App app("test");
    app.require_subcommand(1);
    Action action;
    auto const given = add_steering_commands(app, action);
    std::reverse(words.begin(), words.end());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int code = 2;
    try {
      app.parse(words);
      code = action(place);
    } catch (CLI::ParseError const& error) {
      std::fputs(error.what(), stderr);
    }
    std::fflush(stdout);
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return code;
  }

  test::TemporaryFolder folder;
  Place place;
  std::string out;
  std::string err;
};

char const* const set = R"(monitors:
  - {name: web, type: tcp, port: 80}
pools:
  - name: ams
    monitor: web
    origins:
      - {name: a, address: 198.51.100.1, weight: 0.25}
)";

TEST_F(SteeringCommands, ObjectsAreMadeShownListedAndDeleted) {
  EXPECT_EQ(run({"monitor", "put", file("m.yaml", "name: web\ntype: http\n")}), 0) << err;
  EXPECT_EQ(out, "+ monitor web\n");
  EXPECT_EQ(run({"monitor", "put", file("m.json", R"({"name":"web","type":"http","port":81})")}), 0) << err;
  EXPECT_EQ(out, "= monitor web\n");
  EXPECT_EQ(run({"monitor", "show", "web"}), 0);
  EXPECT_THAT(out, HasSubstr("port: 81\n"));
  EXPECT_EQ(run({"monitor", "put", file("again.yaml", out)}), 0) << "what is shown can be given back: " << err;
  EXPECT_EQ(run({"monitor", "show", "web", "--json"}), 0);
  EXPECT_THAT(out, StartsWith("{\"name\":\"web\""));
  EXPECT_EQ(run({"monitor", "list"}), 0);
  EXPECT_THAT(out, HasSubstr("web"));
  EXPECT_EQ(run({"monitor", "delete", "web"}), 0);
  EXPECT_EQ(run({"monitor", "show", "web"}), 1);
  EXPECT_THAT(err, HasSubstr("there is no monitor 'web'"));
}

TEST_F(SteeringCommands, ApplyPrintsTheDifferenceOnce) {
  std::string const path = file("lb.yaml", set);
  EXPECT_EQ(run({"steering", "apply", path, "--dry-run"}), 0) << err;
  EXPECT_EQ(out, "+ monitor web\n+ pool ams\n");
  EXPECT_EQ(run({"steering", "show"}), 0);
  EXPECT_THAT(out, IsEmpty()) << "a dry run changes nothing";
  EXPECT_EQ(run({"steering", "apply", path}), 0) << err;
  EXPECT_EQ(out, "+ monitor web\n+ pool ams\n");
  EXPECT_EQ(run({"steering", "apply", path}), 0);
  EXPECT_EQ(out, "nothing changes\n");
  EXPECT_EQ(run({"steering", "show"}), 0);
  EXPECT_THAT(out, HasSubstr("weight: 0.25\n"));
  EXPECT_EQ(run({"steering", "apply", file("shown.yaml", out)}), 0) << err;
  EXPECT_EQ(out, "nothing changes\n");
  EXPECT_EQ(run({"steering", "apply", file("less.yaml", "monitors: [{name: web, type: tcp, port: 81}]\n")}), 0);
  EXPECT_EQ(out, "~ monitor web\n- pool ams\n");
}

TEST_F(SteeringCommands, MistakesAreToldWithTheirPlaceAndChangeNothing) {
  ASSERT_EQ(run({"steering", "apply", file("lb.yaml", set)}), 0) << err;
  std::string const bad =
      file("bad.yaml", "pools:\n  - name: ams\n    minimum: 1\n    origins:\n      - {name: a, address: x}\n");
  EXPECT_EQ(run({"steering", "apply", bad}), 2);
  EXPECT_THAT(err, HasSubstr(bad + ":3:5: pools[0]: the key 'minimum' is unknown"));
  EXPECT_THAT(err, HasSubstr(bad + ":5:28: pools[0].origins[0].address: 'x' is neither"));
  // What only the store can know is shown where it was written, too.
  std::string const cross =
      file("cross.yaml",
           "pools:\n  - name: ams\n    monitor: none\n    origins:\n      - {name: a, address: 192.0.2.1}\n"
           "load_balancers:\n  - name: www.example.org\n    default_pools: [asm]\n");
  EXPECT_EQ(run({"steering", "apply", cross}), 2);
  EXPECT_THAT(err, HasSubstr(cross + ":3:14: pools[ams].monitor: there is no monitor 'none'"));
  EXPECT_THAT(err, HasSubstr(cross + ":7:11: load_balancers[www.example.org.].name: 'www.example.org.' is in no zone"));
  EXPECT_THAT(err,
              HasSubstr(cross + ":8:21: load_balancers[www.example.org.].default_pools[0]: there is no pool 'asm'"));
  std::string const one = file("one.yaml", "name: fra\nmonitor: wed\norigins: [{name: f, address: 192.0.2.1}]\n");
  EXPECT_EQ(run({"pool", "put", one}), 2);
  EXPECT_THAT(err, HasSubstr(one + ":2:10: monitor: there is no monitor 'wed' (did you mean 'web'?)"));
  EXPECT_EQ(run({"pool", "put", folder.file("not there")}), 2);
  EXPECT_EQ(run({"monitor", "delete", "web"}), 2);
  EXPECT_THAT(err, HasSubstr("is used by pool ams"));
  EXPECT_EQ(run({"steering", "apply", file("lb.yaml", set)}), 0);
  EXPECT_EQ(out, "nothing changes\n");
}

TEST(Yaml, IsPlainWhereEverybodyReadsItAlike) {
  auto const value = boost::json::parse(
      R"({"a":"text","b":"no","NO":["192.0.2.1","x y"],"empty":"","none":[],"half":0.5,"whole":7,"t":true,
          "list":[{"name":"one","deep":{"x":"1"}},{"name":"two"}]})");
  EXPECT_EQ(yaml(value),
            "a: text\nb: \"no\"\n\"NO\":\n  - \"192.0.2.1\"\n  - \"x y\"\nhalf: 0.5\nwhole: 7\nt: true\nlist:\n"
            "  - name: one\n    deep:\n      x: \"1\"\n  - name: two\n");
}

}  // namespace
}  // namespace commands
