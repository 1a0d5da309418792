#include "base/manual/manual.hpp"

#include <gmock/gmock.h>
#include <CLI/CLI.hpp>

namespace {

using testing::HasSubstr;
using testing::Not;

class Manual : public testing::Test {
 protected:
  Manual() {
    app.add_option("--config", config, "Settings file")->capture_default_str();
    auto* const zone = app.add_subcommand("zone", "Zones")->require_subcommand(1);
    auto* const import = zone->add_subcommand("import", "Import a zone");
    import->add_option("name", name, "Its apex")->required();
    import->add_option("--format", format, "How")->check(CLI::IsMember({"svg", "dot"}));
    zone->add_subcommand("secret", "Not told")->group("");
    manual::add_commands(app, about, "1.2");
  }

  std::string config = "/etc/thing.yaml";
  std::string name;
  std::string format;
  manual::About about{"thing",         8,         {".It begins with a dot."}, {{"/etc/thing.yaml", "Settings"}},
                      {{"0", "Done"}}, {"man(1)"}};
  CLI::App app{"A thing", "thing"};
};

TEST_F(Manual, ThePageNamesEveryCommandWithItsArguments) {
  auto const page = manual::page(app, about, "1.2");
  EXPECT_THAT(page, HasSubstr(".TH THING 8 \"\" \"Sovereign 1.2\"\n"));
  EXPECT_THAT(page, HasSubstr("\\&.It begins"));
  EXPECT_THAT(page, HasSubstr(".SS zone import\n"));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-format\\fR \\fIsvg|dot\\fR"));
  EXPECT_THAT(page, HasSubstr("(usually /etc/thing.yaml)"));
  EXPECT_THAT(page, HasSubstr("Its apex (required)"));
  EXPECT_THAT(page, Not(HasSubstr("Not told")));
  EXPECT_THAT(page, Not(HasSubstr(".SS zone\n"))) << "by itself it does nothing";
}

TEST_F(Manual, CompletionKnowsWordsOptionsAndFixedValues) {
  auto const script = manual::bash_completion(app, "thing");
  EXPECT_THAT(script, HasSubstr("\"\") words=\"zone manual completion --help --config\""));
  EXPECT_THAT(script, HasSubstr("\" zone\") words=\"import --help\""));
  EXPECT_THAT(script, HasSubstr("\" zone import --format\") words=\"svg dot\""));
  EXPECT_THAT(manual::zsh_completion(app, "thing"), HasSubstr("#compdef thing\n"));
}

TEST_F(Manual, TheCommandsPrintAndEndTheParsing) {
  testing::internal::CaptureStdout();
  EXPECT_THROW(app.parse("manual"), CLI::Success);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), manual::page(app, about, "1.2"));
  testing::internal::CaptureStdout();
  EXPECT_THROW(app.parse("completion zsh"), CLI::Success);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), manual::zsh_completion(app, "thing"));
}

}  // namespace
