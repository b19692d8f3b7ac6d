"""What the sandbox knows without a configuration file."""

from __future__ import annotations

from signpath_ci.sandbox.config import (
    ArtifactConfiguration,
    Configuration,
    Project,
    SigningPolicy,
    TrustedBuildSystem,
    User,
)

ADMINISTRATOR = User(name="Administrator", is_interactive=True)
"""Who is there where no person is configured: may do everything."""


_CMS = '<create-cms-signature output-file-name="${file.name}.p7s" output-encoding="der"/>'
_RAW = '<create-raw-signature output-file-name="${file.name}.sig" hash-algorithm="sha256"/>'


def _added(directive: str) -> str:
    """Return the artifact configuration that adds a signature beside every file of a ZIP archive."""
    return f"""<artifact-configuration xmlns="http://signpath.io/artifact-configuration/v1">
  <zip-file>
    <file-set>
      <include path="**" max-matches="unbounded"/>
      <for-each>{directive}</for-each>
    </file-set>
  </zip-file>
</artifact-configuration>
"""


EXAMPLE = """<artifact-configuration xmlns="http://signpath.io/artifact-configuration/v1">
  <zip-file>
    <pe-file-set>
      <include path="**/*.exe" min-matches="1" max-matches="unbounded"/>
      <include path="**/*.dll" min-matches="0" max-matches="unbounded"/>
      <for-each>
        <authenticode-sign/>
      </for-each>
    </pe-file-set>
  </zip-file>
</artifact-configuration>
"""
"""An artifact configuration to start from."""


def default_configuration(*, organization_id: str, api_token: str, trusted_build_system_token: str) -> Configuration:
    """Return the configuration without a file: one project that signs whatever is submitted, from wherever."""
    return Configuration(
        organization_id=organization_id,
        organization_name="Sandbox",
        users=(
            ADMINISTRATOR,
            User(name="Developer", permissions=frozenset({"submit"}), is_interactive=True),
            User(name="Release manager", permissions=frozenset({"submit", "approve"}), is_interactive=True),
            User(name="Security officer", permissions=frozenset({"approve"}), is_interactive=True),
            User(name="Auditor", permissions=frozenset({"read"}), is_interactive=True),
            User(name="sandbox", token=api_token),
        ),
        trusted_build_systems=(TrustedBuildSystem(name="sandbox", token=trusted_build_system_token),),
        projects=(
            Project(
                slug="demo",
                name="Demo",
                artifact_configurations=(
                    ArtifactConfiguration(slug="initial", name="Initial"),
                    ArtifactConfiguration(slug="archive", name="Programs in a ZIP", xml=EXAMPLE),
                    ArtifactConfiguration(slug="cms", name="Detached CMS signature", xml=_added(_CMS)),
                    ArtifactConfiguration(slug="raw", name="Raw signature", xml=_added(_RAW)),
                ),
                signing_policies=(
                    SigningPolicy(slug="test-signing", name="Test signing", certificate="test-signing"),
                    SigningPolicy(
                        slug="release-signing",
                        name="Release signing",
                        certificate="release-signing",
                        required_approvals=1,
                    ),
                    SigningPolicy(
                        slug="two-person-signing",
                        name="Two-person signing",
                        certificate="release-signing",
                        required_approvals=2,
                        submitter_may_approve=False,
                    ),
                    SigningPolicy(
                        slug="ci-signing",
                        name="CI signing",
                        certificate="release-signing",
                        trusted_build_system=True,
                    ),
                ),
            ),
        ),
    )
