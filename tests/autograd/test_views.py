"""Views on the tape."""

import flambeau as torch


def test_a_leaf_as_another_class_is_a_view_of_it():
    class Mine(torch.Tensor):
        """A class of one's own."""

    leaf = torch.ones(2, requires_grad=True)
    made = leaf.as_subclass(Mine)
    assert type(made) is Mine and not made.is_leaf and made.grad_fn.name() == "AliasBackward0"
    (made * 3).sum().backward()
    assert leaf.grad.tolist() == [3, 3]
    with torch.no_grad():
        assert leaf.as_subclass(Mine).is_leaf
    assert torch.ones(2).as_subclass(Mine).requires_grad_().is_leaf
