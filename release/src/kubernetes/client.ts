/**
 * The client library, of whose hundreds of files this becomes one in what is built: nobody else here loads
 * it.
 */
export {
  AdmissionregistrationV1Api,
  ApiException,
  AppsV1Api,
  AuthorizationV1Api,
  AutoscalingV2Api,
  BatchV1Api,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  DiscoveryV1Api,
  Exec,
  HttpMethod,
  KubeConfig,
  KubernetesObjectApi,
  NetworkingV1Api,
  Observable,
  PatchStrategy,
  PolicyV1Api,
  PortForward,
  RbacAuthorizationV1Api,
  ResponseContext,
  ServerConfiguration,
  V1MicroTime,
  VersionApi,
  Watch,
  createConfiguration,
  setHeaderOptions,
  wrapHttpLibrary,
} from "@kubernetes/client-node";
export type * from "@kubernetes/client-node";
