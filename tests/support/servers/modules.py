"""Modules of a server that Maven Central has as jars alone, put together as its own distribution has them."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from servers.artifacts import Artifact, cached


@dataclass(frozen=True)
class Module:
    """A folder of `modules/`: its name, class, jars, the modules it extends, and what it may do.

    `permissions` are what Java's security manager must allow it, as the distribution's own does.
    """

    name: str
    class_name: str
    jars: tuple[Artifact, ...]
    extends: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()

    def place(self, home: Path, version: str) -> None:
        """Put it into an unpacked server of this version; its jars must be in the cache."""
        folder = home / "modules" / self.name
        folder.mkdir()
        for jar in self.jars:
            shutil.copy(cached(jar), folder)
        descriptor = {
            "name": self.name,
            "description": self.name,
            "classname": self.class_name,
            "version": version,
            "opensearch.version": version,
            "java.version": "11",
            "extended.plugins": ",".join(self.extends),
        }
        lines = [f"{name}={value}\n" for name, value in descriptor.items()]
        (folder / "plugin-descriptor.properties").write_text("".join(lines))
        if self.permissions:
            granted = "".join(f"  permission {permission};\n" for permission in self.permissions)
            (folder / "plugin-security.policy").write_text(f"grant {{\n{granted}}};\n")


def _opensearch(name: str, sha256: str, group: str = "org.opensearch") -> Artifact:
    return Artifact(group, name, "2.19.4", sha256)


def _plugin(name: str, sha256: str) -> Artifact:
    return _opensearch(name, sha256, "org.opensearch.plugin")


def _asm(name: str, sha256: str) -> Artifact:
    return Artifact("org.ow2.asm", name, "9.7", sha256)


def _http(name: str, version: str, sha256: str) -> Artifact:
    return Artifact("org.apache.httpcomponents", name, version, sha256)


OPENSEARCH_2_19: Sequence[Module] = (
    Module(
        "lang-painless",
        "org.opensearch.painless.PainlessPlugin",
        (
            _plugin("lang-painless", "5b382333ecc637d0e5304af9987056260e3d68a9149e3d32824b193e041b1d60"),
            _plugin(
                "opensearch-scripting-painless-spi",
                "06ec9ff0970dd8ed186805ecf7c4257de2e819b646e19e466d27f73caefa9e43",
            ),
            Artifact(
                "org.antlr",
                "antlr4-runtime",
                "4.13.1",
                "54665d2838cc66458343468efc539e454fc95b46a8a04b13c6ac43fc9be63505",
            ),
            _asm("asm", "adf46d5e34940bdf148ecdd26a9ee8eea94496a72034ff7141066b3eea5c4e9d"),
            _asm("asm-analysis", "7bc6bcbc21379948a0c8c467fb0f864206e5b818f6bc0b546872f5c9f941556f"),
            _asm("asm-commons", "389bc247958e049fc9a0408d398c92c6d370c18035120395d4cba1d9d9304b7a"),
            _asm("asm-tree", "62f4b3bc436045c1acb5c3ba2d8ec556ec3369093d7f5d06c747eb04b56d52b1"),
            _asm("asm-util", "37a6414d36641973f1af104937c95d6d921b2ddb4d612c66c5a9f2b13fc14211"),
        ),
        permissions=(
            'java.lang.RuntimePermission "createClassLoader"',
            'java.lang.RuntimePermission "getClassLoader"',
        ),
    ),
    Module(
        "lang-mustache",
        "org.opensearch.script.mustache.MustachePlugin",
        (
            _plugin(
                "lang-mustache-client", "8d4ed99d15d2bcaac0bb0697d1564052d58fa008da28df42dcde2922d2fed5d7"
            ),
            Artifact(
                "com.github.spullara.mustache.java",
                "compiler",
                "0.9.14",
                "99a7e7855609135006f078e6de7ee69daad9c42f98e679d56f80653cb17526b9",
            ),
        ),
        permissions=('java.lang.RuntimePermission "accessDeclaredMembers"',),
    ),
    Module(
        "ingest-common",
        "org.opensearch.ingest.common.IngestCommonPlugin",
        (
            _plugin("ingest-common", "45d44c2f603dec960965a425ccb25e5466a9f1b13621a390182e643dedb9ba9c"),
            _opensearch(
                "opensearch-grok", "a18eb8dd46ab4ac6e64ff4b11a260f95907348577e6047fce102fb5d654c4f64"
            ),
            _opensearch(
                "opensearch-dissect", "5bb4c6f82059349a50caff51b4088cb9706c9513a99afcf47f4fcac97b71812b"
            ),
            Artifact(
                "org.jruby.joni",
                "joni",
                "2.2.1",
                "b3e4b657a3ed1d8f684114f6baa462d553a5932a865c1574695498dda8577748",
            ),
            Artifact(
                "org.jruby.jcodings",
                "jcodings",
                "1.0.61",
                "3238c68a2f86cec53cc184ad26df8352db87bb22a419bd17fb4acdfbb0bc40f0",
            ),
        ),
        extends=("lang-painless",),
    ),
    Module(
        "analysis-common",
        "org.opensearch.analysis.common.CommonAnalysisPlugin",
        (_plugin("analysis-common", "46db3a6c8fc53f756853d29b4d14fc326ce96a0f56b62aeb289a8126ec513e66"),),
        extends=("lang-painless",),
    ),
    Module(
        "mapper-extras",
        "org.opensearch.index.mapper.MapperExtrasPlugin",
        (
            _plugin(
                "mapper-extras-client", "fc1565cfdb1beb7a44e0585039000dab5de76ccee90c7038fa1c073bfff759eb"
            ),
        ),
    ),
    Module(
        "reindex",
        "org.opensearch.index.reindex.ReindexPlugin",
        (
            _plugin("reindex-client", "ae498328ad68e54bf0024c8fc047f1f9c217bc18d70931c11905dcb73926c2fc"),
            _opensearch(
                "opensearch-ssl-config", "9ed3bc92e44e52f7cd2610668cba5bc935bea786551d92e68f147aa08f083a6e"
            ),
            _opensearch(
                "opensearch-rest-client",
                "0a8dc727d9f9119b51f4451f52a36ad263a9b66df60935e3a820fc17713cf1cf",
                "org.opensearch.client",
            ),
            _http("httpclient", "4.5.14", "c8bc7e1c51a6d4ce72f40d2ebbabf1c4b68bfe76e732104b04381b493478e9d6"),
            _http("httpcore", "4.4.16", "6c9b3dd142a09dc468e23ad39aad6f75a0f2b85125104469f026e52a474e464f"),
            _http(
                "httpasyncclient",
                "4.1.5",
                "0c1877489a9d1ba4fa50f6cfcab11d1123618858cb31d56afaab5afdd5064d99",
            ),
            _http(
                "httpcore-nio", "4.4.16", "4018736ede2d321034e8517ea90baefb31831a8608afccc446d8a699fb1d00d4"
            ),
            Artifact(
                "commons-codec",
                "commons-codec",
                "1.18.0",
                "ba005f304cef92a3dede24a38ad5ac9b8afccf0d8f75839d6c1338634cf7f6e4",
            ),
            Artifact(
                "commons-logging",
                "commons-logging",
                "1.2",
                "daddea1ea0be0f56978ab3006b8ac92834afeefbd9b7e4e6316fca57df0fa636",
            ),
        ),
    ),
)
"""What 2.19.4's own distribution has under `modules/`, as far as the tests use it."""
