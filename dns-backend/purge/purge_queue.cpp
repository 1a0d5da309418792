#include "dns-backend/purge/purge_queue.hpp"

namespace purge {

std::string purge_word(store::Touched const& touched) {
  if (touched.name.is_wildcard()) {
    return touched.name.parent().text() + "$";
  }
  return touched.subtree ? touched.name.text() + "$" : touched.name.text();
}

std::string PurgeBatch::command() const {
  std::string text = "PURGE";
  for (std::string const& word : words) {
    text += ' ';
    text += word;
  }
  text += '\n';
  return text;
}

void PurgeQueue::merge(PurgeBatch batch) {
  if (due_.everything) {
    return;
  }
  if (!batch.everything) {
    due_.words.merge(batch.words);
  }
  if (batch.everything || due_.words.size() > words_max) {
    due_ = PurgeBatch{true, {}};
  }
}

void PurgeQueue::add(std::vector<store::Touched> const& names, Time now) {
  if (names.empty()) {
    return;
  }
  PurgeBatch batch;
  for (store::Touched const& touched : names) {
    std::string word = purge_word(touched);
    // Blanks end a word of the control protocol; presentation form writes them as \032, so this is a last resort.
    if (word.find_first_of(" \t\r\n") != std::string::npos || batch.words.size() > words_max) {
      batch = PurgeBatch{true, {}};
      break;
    }
    batch.words.insert(std::move(word));
  }
  echo_words_ += batch.everything ? 1 : batch.words.size();
  echoes_.push_back({now + echo_, batch});
  if (echo_words_ > words_max) {
    // One late purge of everything stands for all of them, at the time of the last.
    echoes_.clear();
    echoes_.push_back({now + echo_, PurgeBatch{true, {}}});
    echo_words_ = 1;
  }
  merge(std::move(batch));
}

void PurgeQueue::release(Time now) {
  while (!echoes_.empty() && echoes_.front().due <= now) {
    PurgeBatch batch = std::move(echoes_.front().batch);
    echoes_.pop_front();
    echo_words_ -= batch.everything ? 1 : batch.words.size();
    merge(std::move(batch));
  }
}

std::optional<PurgeBatch> PurgeQueue::take(Time now) {
  release(now);
  if (due_.everything) {
    PurgeBatch batch = std::move(due_);
    due_ = PurgeBatch{};
    return batch;
  }
  if (due_.words.empty()) {
    return std::nullopt;
  }
  PurgeBatch batch;
  std::size_t octets = 0;
  while (!due_.words.empty() && (octets == 0 || octets + due_.words.begin()->size() + 1 <= batch_octets)) {
    octets += due_.words.begin()->size() + 1;
    batch.words.insert(due_.words.extract(due_.words.begin()));
  }
  return batch;
}

void PurgeQueue::failed(PurgeBatch batch) {
  if (++failures_ >= failures_max) {
    batch = PurgeBatch{true, {}};
  }
  merge(std::move(batch));
}

std::optional<PurgeQueue::Time> PurgeQueue::next_due(Time now) const {
  if (due_.everything || !due_.words.empty()) {
    return now;
  }
  return echoes_.empty() ? std::nullopt : std::optional<Time>(echoes_.front().due);
}

std::size_t PurgeQueue::waiting() const {
  return (due_.everything ? 1 : due_.words.size()) + echo_words_;
}

}  // namespace purge
