/** Who may invoke a function besides roles: a service, on behalf of one of the stack's resources (AWS::Lambda::Permission). */
export interface Permission {
  functionArn: string;
  /** `s3.amazonaws.com` */
  principal: string;
  sourceArn?: string;
}
