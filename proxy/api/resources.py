"""What can be done with each kind of resource: every verb is written once, for both faces.

A method here describes its call. Read from a client it is bound to that client's transport: awaited
in `DataCueClient`, plain in `SyncDataCueClient`.
"""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar, overload

from msgspec import Struct

from proxy.api.call import Call, encode, nothing, path_of, reads
from proxy.api.errors import InvalidInput
from proxy.api.kinds import KINDS, Kind, read_ids, read_item
from proxy.api.transport import AsyncTransport, SyncTransport, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from proxy.api.items import Banner, Category, Order, Product, User

P = ParamSpec("P")
T = TypeVar("T")
TransportT = TypeVar("TransportT", bound=Transport)


class Bound(Generic[TransportT]):
    """What hangs on a client.

    Args:
        transport: sends its calls.
    """

    def __init__(self, transport: TransportT) -> None:
        self._transport: TransportT = transport

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport!r})"


class Operation(Generic[P, T]):
    """A method that describes a call; see the module's docstring.

    Args:
        describe: the method as it is written.
    """

    def __init__(self, describe: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self._describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> Operation[P, T]: ...

    @overload
    def __get__(self, owner: Bound[AsyncTransport], kind: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    @overload
    def __get__(self, owner: Bound[SyncTransport], kind: type) -> Callable[P, T]: ...

    def __get__(self, owner: Bound[Any] | None, kind: type) -> Any:
        """The method as the client's user calls it."""
        if owner is None:
            return self
        transport = owner._transport  # noqa: SLF001  a descriptor is a part of the class it stands in
        describe = self._describe

        async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
            found: T = await transport.send(describe(owner, *args, **kwargs))
            return found

        def plain(*args: P.args, **kwargs: P.kwargs) -> T:
            found: T = transport.send(describe(owner, *args, **kwargs))
            return found

        return update_wrapper(awaited if isinstance(transport, AsyncTransport) else plain, describe)


class Listed(Struct):
    """The answer of ``GET /overview/<kind>``."""

    ids: list[str | int] | None = None
    count: int = 0


class Deletable(Bound[TransportT]):
    """What every kind can do.

    Raises, like every method below: `ApiError`; `InvalidInput` before anything is sent.
    """

    _kind: ClassVar[Kind]

    @Operation
    def ids(self) -> Call[list[str]]:
        """The ids of all there are (later than the guide; products: without their variants)."""
        return Call("GET", f"/overview/{self._kind.name}", b"", _ids, repeatable=True)

    @Operation
    def delete_all(self) -> Call[None]:
        """Deletes everything of this kind (later than the guide)."""
        return Call("DELETE", f"/batch/{self._kind.name}/all", b"", nothing, repeatable=True)


def _ids(answer: Any, name: str) -> list[str]:
    return [str(found) for found in _LISTED(answer, name).ids or ()]


_LISTED = reads(Listed)


class Products(Deletable[TransportT]):
    """``client.products`` (guide, "Products")."""

    _kind = KINDS["products"]

    @Operation
    def create(self, product: Product | Mapping[str, Any]) -> Call[None]:
        """Creates a product's variant, or replaces it."""
        return _create(self._kind, product)

    @Operation
    def update(self, product: Product | Mapping[str, Any]) -> Call[None]:
        """Changes the fields that are given of the variant that the ids name."""
        return _update(self._kind, product)

    @Operation
    def delete(self, product_id: str, variant_id: str | None = None) -> Call[None]:
        """Deletes a variant, or a product with all of them."""
        return _delete(self._kind, (product_id,) if variant_id is None else (product_id, variant_id))


class Categories(Deletable[TransportT]):
    """``client.categories`` (later than the guide)."""

    _kind = KINDS["categories"]

    @Operation
    def create(self, category: Category | Mapping[str, Any]) -> Call[None]:
        """Creates a category, or replaces it."""
        return _create(self._kind, category)

    @Operation
    def update(self, category: Category | Mapping[str, Any]) -> Call[None]:
        """Changes the fields that are given."""
        return _update(self._kind, category)

    @Operation
    def delete(self, category_id: str) -> Call[None]:
        """Deletes a category."""
        return _delete(self._kind, (category_id,))


class Users(Deletable[TransportT]):
    """``client.users`` (guide, "Users")."""

    _kind = KINDS["users"]

    @Operation
    def create(self, user: User | Mapping[str, Any]) -> Call[None]:
        """Creates a user, or replaces them."""
        return _create(self._kind, user)

    @Operation
    def update(self, user: User | Mapping[str, Any]) -> Call[None]:
        """Changes the fields that are given."""
        return _update(self._kind, user)

    @Operation
    def delete(self, user_id: str) -> Call[None]:
        """Deletes a user."""
        return _delete(self._kind, (user_id,))


class Orders(Deletable[TransportT]):
    """``client.orders`` (guide, "Orders")."""

    _kind = KINDS["orders"]

    @Operation
    def create(self, order: Order | Mapping[str, Any]) -> Call[None]:
        """Creates an order, or replaces it. Without a user it is a guest's."""
        return _create(self._kind, order)

    @Operation
    def update(self, order: Order | Mapping[str, Any]) -> Call[None]:
        """Changes ``order_status``; the guide has no other field here."""
        return _update(self._kind, order)

    @Operation
    def cancel(self, order_id: str) -> Call[None]:
        """Marks an order as cancelled (guide, "Cancel Order")."""
        return _update(self._kind, {"order_id": order_id, "order_status": "cancelled"})

    @Operation
    def delete(self, order_id: str) -> Call[None]:
        """Deletes an order from the record."""
        return _delete(self._kind, (order_id,))


class Banners(Deletable[TransportT]):
    """``client.banners`` (guide, "Banners")."""

    _kind = KINDS["banners"]

    @Operation
    def create(self, banner: Banner | Mapping[str, Any]) -> Call[None]:
        """Creates a banner, or replaces it."""
        return _create(self._kind, banner)

    @Operation
    def update(self, banner: Banner | Mapping[str, Any]) -> Call[None]:
        """Changes the fields that are given."""
        return _update(self._kind, banner)

    @Operation
    def delete(self, banner_id: str) -> Call[None]:
        """Deletes a banner."""
        return _delete(self._kind, (banner_id,))


def _create(kind: Kind, item: object) -> Call[None]:
    fields = read_item(kind, item, creating=True)
    return Call("POST", f"/{kind.name}", encode(fields), nothing, repeatable=False)


def _update(kind: Kind, item: object) -> Call[None]:
    """The ids go into the path, the rest into the body (guide, "Update Product")."""
    fields = read_item(kind, item, creating=False)
    path = path_of(kind.name, *(fields.pop(field) for field in kind.ids))
    if not fields:
        raise InvalidInput("", "has no field to change")
    return Call("PUT", path, encode(fields), nothing, repeatable=True)


def _delete(kind: Kind, ids: tuple[str, ...]) -> Call[None]:
    fields = read_ids(kind, ids)
    return Call("DELETE", path_of(kind.name, *fields.values()), b"", nothing, repeatable=True)
