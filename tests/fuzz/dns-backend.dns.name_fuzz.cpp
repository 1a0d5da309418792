// A name is refused or reads back from its own text, with a parent it lies within.
#include "dns-backend/dns/name.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string const text(data, data + size);
  auto const name = dns::Name::parse(text);
  if (name) {
    auto const again = dns::Name::parse(name->text());
    ASSERT(again && *again == *name && again->text() == name->text());
    ASSERT(name->wire().size() <= 255);
    ASSERT(name->is_within(name->parent()));
    ASSERT(name->is_root() || name->parent().labels() + 1 == name->labels());
    ASSERT(dns::Name::parse(name->parent().text())->key() == name->parent().key());
    ASSERT(dns::parent_key(name->key()) == name->parent().key());
    dns::Name const from_key = dns::Name::from_key(name->key());
    ASSERT(from_key == *name && from_key.text() == name->text() && from_key.labels() == name->labels());
    dns::KeyBuffer buffer;
    ASSERT(buffer.read(name->text()) && buffer.key() == name->key());
  }
  // What the quick way takes, the thorough one takes in the same sense.
  dns::KeyBuffer quick;
  ASSERT(!quick.read(text) || (name && name->key() == quick.key()));
  auto const origin = dns::Name::parse("example.org").value();
  auto const relative = dns::Name::parse(text, origin);
  ASSERT(!relative || relative->is_within(origin) || text.ends_with('.'));
  return 0;
}
