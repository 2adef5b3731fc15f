#include "train/data/stored_items.h"

namespace taugrad {

std::shared_ptr<const StoredItems> only(const std::shared_ptr<const StoredItems>& all,
                                        const std::function<bool(std::size_t)>& pick) {
  const auto picked = std::make_shared<std::vector<std::size_t>>();
  for (std::size_t i = 0; i < all->size; ++i)
    if (pick(i)) picked->push_back(i);
  auto some = std::make_shared<StoredItems>();
  some->size = picked->size();
  some->lengths = all->lengths;
  some->partly = all->partly;
  some->length = [all, picked](std::size_t i, const std::string& name) {
    return all->length((*picked)[i], name);
  };
  some->targets = [all, picked](std::size_t i) { return all->targets((*picked)[i]); };
  some->read = [all, picked](std::size_t i, std::int64_t from, std::int64_t to) {
    return all->read((*picked)[i], from, to);
  };
  some->tell_place = [all, picked](std::size_t i, Diagnostic& d) {
    all->tell_place((*picked)[i], d);
  };
  return some;
}

}  // namespace taugrad
