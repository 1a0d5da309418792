#include "base/store_thread/accompaniment.hpp"

#include "base/store_thread/store_thread.hpp"
#include "tests/base/database/fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace database::test {
namespace {

namespace asio = boost::asio;

void start(asio::io_context& loop, asio::awaitable<void> task) {
  asio::co_spawn(loop, std::move(task), [](std::exception_ptr const& problem) { EXPECT_EQ(problem, nullptr); });
}

std::function<base::Result<void>(Transaction&)> inserting(char const* name) {
  return [name](Transaction& transaction) -> base::Result<void> {
    auto const done = transaction.execute("INSERT INTO zone (name) VALUES (?)", {std::string(name)});
    return done ? base::Result<void>() : done.error();
  };
}

asio::awaitable<bool> insert_named(StoreThread& store, char const* name) {
  std::function<base::Result<Revision>(Database&)> const work = [name](Database& database) {
    return database.write(inserting(name));
  };
  auto const done = co_await store.run<Revision>(work);
  co_return done.has_value();
}

asio::awaitable<std::int64_t> count_named(StoreThread& store, char const* name) {
  std::function<base::Result<std::int64_t>(Database&)> const work = [name](Database& database) {
    return base::Result<std::int64_t>(
        integer(database.query("SELECT count(*) FROM zone WHERE name = ?", {std::string(name)}).value()[0][0]));
  };
  auto const counted = co_await store.run<std::int64_t>(work);
  co_return counted.value();
}

asio::awaitable<void> write_with_a_companion(StoreThread& store) {
  auto const companion = std::make_shared<Companion>(inserting("companion"));
  EXPECT_TRUE(co_await insert_named(store, "alone"));
  EXPECT_TRUE(co_await accompanied(companion, insert_named(store, "first")));
  EXPECT_TRUE(companion->committed());
  EXPECT_TRUE(co_await accompanied(companion, insert_named(store, "second")));
  EXPECT_EQ(co_await count_named(store, "companion"), 1) << "with the first alone";
  // The name is taken: what fails with its companion is not there, nor is the companion taken for written.
  auto const clashing = std::make_shared<Companion>(inserting("companion"));
  EXPECT_FALSE(co_await accompanied(clashing, insert_named(store, "third")));
  EXPECT_FALSE(clashing->committed());
  EXPECT_EQ(co_await count_named(store, "third"), 0);
  auto const late = std::make_shared<Companion>(inserting("late"));
  EXPECT_FALSE(co_await accompanied(late, insert_named(store, "first")));
  EXPECT_FALSE(late->committed());
  EXPECT_EQ(co_await count_named(store, "late"), 0) << "rolled back with the write";
  EXPECT_EQ(co_await accompanied(late, count_named(store, "first")), 1);
  EXPECT_FALSE(late->committed()) << "a look is no write";
  late->take_leave();
  EXPECT_TRUE(co_await accompanied(late, insert_named(store, "fourth")));
  EXPECT_EQ(co_await count_named(store, "late"), 0);
}

TEST(Accompaniment, ACompanionIsWrittenWithTheFirstWriteOrNotAtAll) {
  asio::io_context loop;
  StoreThread store(open());
  start(loop, write_with_a_companion(store));
  loop.run();
}

}  // namespace
}  // namespace database::test
